import { UserError } from '../base/errors.ts';
import { verifierKeyOf } from '../directory/note.ts';
import { createAuthorityKey } from './authority-key.ts';

/** As a policy can have it (spec/directory.md section 3). */
const NAME = /^[^\s+]{1,64}$/;

/**
 * Makes the key of a new authority; gives the line `witness` of the policy that names it.
 * @throws UserError for a name that no policy can have, and when there is a key already.
 */
export async function foundAuthority(name: string, dataDirectory: string): Promise<string> {
  if (!NAME.test(name) || name === 'none') {
    throw new UserError(`${JSON.stringify(name)} cannot be the name of an authority`, {
      hint: 'Take up to 64 characters without blanks and without +.',
    });
  }
  const key = await createAuthorityKey(dataDirectory);
  return `witness ${name} ${verifierKeyOf({ name: `sotto/${name}`, key })}`;
}
