import { writePlan } from './apply.ts';
import type { ServiceState, Waiting } from './backend.ts';
import { whileHomeIsLocked } from './home-lock.ts';
import type { Stack } from './open-stack.ts';
import { mendOnions } from './replace-onion.ts';

export interface BringUpOptions extends Waiting {
  readonly onProgress?: (step: string) => void;
}

/**
 * Writes what the plan says and starts what does not run; what runs with other files than before
 * starts anew. Ends what a revocation or a rotation was interrupted in. Can be interrupted itself, and
 * run again.
 * @throws UserError for what the operator can mend.
 */
export async function bringUp(
  stack: Pick<Stack, 'plan' | 'secrets' | 'backend'>,
  options: BringUpOptions,
): Promise<void> {
  await whileHomeIsLocked(stack.plan.home, () => applyAndStart(stack, options));
}

async function applyAndStart(
  { plan, secrets, backend }: Pick<Stack, 'plan' | 'secrets' | 'backend'>,
  { signal, onProgress }: BringUpOptions,
): Promise<void> {
  const changed = await writePlan({ plan, secrets });
  signal.throwIfAborted();
  const before = await backend.states({ signal });
  await backend.up({ signal, ...(onProgress && { onProgress }) });
  const after = await backend.states({ signal });
  const stale = changed.filter((service) => {
    const ofService = (states: readonly ServiceState[]): string | undefined =>
      states.find((each) => each.service === service)?.since;
    const since = ofService(before);
    return since !== undefined && since === ofService(after);
  });
  if (stale.length > 0) await backend.restart(stale, { signal });
  await mendOnions(plan);
}
