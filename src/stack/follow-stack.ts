import type { Clock } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Waiting } from './backend.ts';
import { endInitialSync, isInitialSyncOver } from './end-initial-sync.ts';
import type { Stack } from './open-stack.ts';
import { type Sight, watchStack } from './readiness/watch.ts';

export interface FollowOptions extends Waiting {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Watches a server that was brought up, and ends its initial sync when that is over.
 * @throws UserError when a step has failed: time alone does not mend it; the signal's reason.
 */
export async function* followStack(
  stack: Stack,
  { clock, log, signal }: FollowOptions,
): AsyncGenerator<Sight> {
  for await (const sight of watchStack(stack, { clock, signal })) {
    yield sight;
    const failed = sight.steps.find(({ state }) => state === 'failed');
    if (failed !== undefined) {
      throw new UserError(`${failed.title}: ${failed.detail}`, {
        ...(failed.hint !== undefined && { hint: failed.hint }),
      });
    }
    if (await isInitialSyncOver(stack.home, sight.steps)) {
      await endInitialSync(stack.home, { log, signal });
    }
  }
  signal.throwIfAborted();
}
