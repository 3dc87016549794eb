import { UserError } from '../base/errors.ts';
import { verifierKeyOf } from '../directory/note.ts';
import { createAuthorityKey } from './authority-key.ts';

/** Of what a policy can have (spec/directory.md section 3), what every file and terminal can show. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * Makes the key of a new authority; gives the line `witness` of the policy that names it.
 * @throws UserError for a name that no policy can have, and when there is a key already.
 */
export async function foundAuthority(name: string, dataDirectory: string): Promise<string> {
  if (!NAME.test(name) || name === 'none') {
    throw new UserError(`${JSON.stringify(name)} cannot be the name of an authority`, {
      hint: 'Take up to 64 letters, digits, dots, - and _, the first one a letter or digit.',
    });
  }
  const key = await createAuthorityKey(dataDirectory);
  return `witness ${name} ${verifierKeyOf({ name: `sotto/${name}`, key })}`;
}
