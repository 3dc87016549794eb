import { MalformedBytesError } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { readIfPresent } from '../io/durable-file.ts';
import { type ClientAccess, parseAuthPrivate } from '../tor/client-authorization.ts';

/**
 * Reads a device's key, as `sotto device add --out` writes it.
 * @throws UserError when it is none, or leads to another onion.
 */
export async function readDeviceKey(path: string, onion: string): Promise<ClientAccess> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) throw new UserError(`there is no file ${path}`);
  const access = parse(path, bytes);
  if (access.onion === onion) return access;
  throw new UserError(`the key in ${path} is for another onion than --server`, {
    hint: `It opens ${access.onion}.`,
  });
}

function parse(path: string, bytes: Uint8Array): ClientAccess {
  try {
    return parseAuthPrivate(bytes);
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
    throw new UserError(`${path} is not the key of a device`, {
      hint: 'On the server type: sotto device add NAME --out FILE.auth_private',
    });
  }
}
