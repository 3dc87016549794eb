import type { Clock } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Waiting } from './backend.ts';
import { endInitialSync, isInitialSyncOver } from './end-initial-sync.ts';
import type { Stack } from './open-stack.ts';
import type { Step } from './readiness/step.ts';
import { type Sight, watchStack } from './readiness/watch-stack.ts';

export interface FollowOptions extends Waiting {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Watches a server that was brought up. When its initial sync is over, ends that and goes on with
 * the server as it is then.
 * @throws UserError when a step has failed: time alone does not mend it; the signal's reason.
 */
export async function* followStack(
  first: Stack,
  { clock, log, signal }: FollowOptions,
): AsyncGenerator<Sight> {
  let stack: Stack | undefined = first;
  while (stack !== undefined) {
    const current: Stack = stack;
    let isOver = false;
    for await (const sight of watchStack(current, { clock, signal })) {
      throwIfFailed(sight.steps, clock());
      isOver = await isInitialSyncOver(current, sight.steps);
      if (isOver) break;
      yield sight;
    }
    signal.throwIfAborted();
    stack = isOver ? await endInitialSync(current, { log, signal }) : undefined;
  }
}

/** A service that is being restarted is missing for a moment. */
const FAILED_MS = 10_000;

function throwIfFailed(steps: readonly Step[], nowMs: number): void {
  const failed = steps.find(
    ({ state, sinceMs }) => state === 'failed' && nowMs - sinceMs >= FAILED_MS,
  );
  if (failed === undefined) return;
  const { title, detail, hint } = failed;
  throw new UserError(`${title}: ${detail}`, { ...(hint !== undefined && { hint }) });
}
