import { messageOf, UserError } from '../base/errors.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import type { ControlClient } from '../tor/control-client.ts';
import { findTorControl } from '../tor/open-control.ts';
import type { Home } from './home.ts';

/** A tor that is well answers in milliseconds. */
const TIMEOUT_MS = 30_000;

/**
 * Has a word with the server's tor over its control socket.
 * @returns undefined when it does not run.
 * @throws UserError when it runs and does not answer, or not as it should.
 */
export async function askTor<T>(
  home: Home,
  ask: (control: ControlClient) => Promise<T>,
): Promise<T | undefined> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    await using control = await findTorControl({
      socket: home.torControl,
      cookieFile: home.torControlCookie,
      signal,
    });
    return control && (await unlessAborted(ask(control), signal));
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`tor runs and does not do as it is told: ${messageOf(cause)}`, {
      hint: 'It may still do as before. Type: sotto restart tor',
      cause,
    });
  }
}

/** Has a tor that runs read its torrc and its devices again. @returns whether one runs. */
export async function reloadTor(home: Home): Promise<boolean> {
  const isUp = await askTor(home, async (control) => {
    await control.signal('RELOAD');
    return true;
  });
  return isUp ?? false;
}
