import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { lockFile } from '../io/file-lock.ts';
import type { Home } from './home.ts';

/**
 * Makes a change while no other command changes the same server. The kernel lets go of the lock when
 * this process ends, however it ends.
 * @throws UserError when another command holds it, and what the change throws.
 */
export async function whileHomeIsLocked<T>(
  { directory }: Home,
  change: () => Promise<T>,
): Promise<T> {
  await using lock = await lockFile(join(directory, 'change.lock'));
  if (lock !== undefined) return await change();
  throw new UserError('another sotto command is changing this server', {
    hint: 'Type the same again when that one is done.',
  });
}
