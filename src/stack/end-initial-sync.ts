import type { Logger } from '../base/log.ts';
import type { Waiting } from './backend.ts';
import { bringUp } from './bring-up.ts';
import { openStack, type Stack } from './open-stack.ts';
import type { Step } from './readiness/step.ts';
import { isInitialSyncDone, noteInitialSyncDone } from './sync-marker.ts';

/** Whether chain and index are complete, and bitcoind still has the memory of the first days. */
export async function isInitialSyncOver(
  { home, config }: Pick<Stack, 'home' | 'config'>,
  steps: readonly Step[],
): Promise<boolean> {
  const isComplete = (['blocks', 'index'] as const).every(
    (id) => steps.find((step) => step.id === id)?.state === 'done',
  );
  return isComplete && !(await isInitialSyncDone(home, config));
}

/** Notes it for good, and restarts bitcoind with the cache of everyday. @returns the server then. */
export async function endInitialSync(
  { home, config }: Pick<Stack, 'home' | 'config'>,
  { log, signal }: Waiting & { readonly log: Logger },
): Promise<Stack> {
  await noteInitialSyncDone(home, config);
  const stack = await openStack(home.directory, { log });
  await bringUp(stack, { signal });
  return stack;
}
