import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { UserError } from '../base/errors.ts';

/** A file that one process at a time has locked. Disposing releases it. */
export interface FileLock extends AsyncDisposable {
  /** A child that inherits it holds the lock too, until both have ended. */
  readonly descriptor: number;
}

const HELD_BY_ANOTHER = 1;

/**
 * Locks a file, made with mode 0600, or says undefined when another process has locked it. The
 * kernel releases the lock when its holders have ended, however they ended (flock(2)).
 * @throws UserError when the program flock, of util-linux, is missing.
 */
export async function lockFile(path: string): Promise<FileLock | undefined> {
  const file = await open(path, 'a', 0o600);
  try {
    // The lock belongs to what was opened, not to the process that asks for it.
    const flock = spawn('flock', ['--nonblock', '3'], {
      stdio: ['ignore', 'ignore', 'ignore', file.fd],
    });
    const [code] = (await once(flock, 'exit')) as [number | null];
    if (code === HELD_BY_ANOTHER) {
      await file.close();
      return undefined;
    }
    if (code !== 0) throw new Error(`flock ended with ${code ?? 'a signal'}`);
  } catch (cause) {
    await file.close();
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new UserError('the program flock is not installed', {
      hint: 'On Debian or Ubuntu type: sudo apt-get install util-linux',
      cause,
    });
  }
  return { descriptor: file.fd, [Symbol.asyncDispose]: () => file.close() };
}
