import { askTor } from './ask-tor.ts';
import type { Home } from './home.ts';

/** Of the tor that runs: `0.4.9.11`. Undefined when none runs. @throws UserError when it is unwell. */
export async function runningTorVersion(home: Home): Promise<string | undefined> {
  const text = await askTor(home, (control) => control.getInfo('version'));
  return text === undefined ? undefined : /^(?:Tor )?(\d+(?:\.\d+)+)/.exec(text)?.[1];
}
