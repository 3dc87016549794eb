import { UserError } from '../base/errors.ts';
import { silent } from '../base/log.ts';
import { openToEnd } from './open-stack.ts';

/** @throws UserError when any service of the server in this home runs. */
export async function requireStopped(home: string, signal: AbortSignal): Promise<void> {
  const { backend } = await openToEnd(home, { log: silent });
  const states = await backend.states({ signal });
  const running = states.filter(({ state }) => state === 'running' || state === 'restarting');
  if (running.length === 0) return;
  throw new UserError(
    `the server in ${home} runs: ${running.map(({ service }) => service).join(', ')}`,
    { hint: 'Stop it first: sotto down' },
  );
}
