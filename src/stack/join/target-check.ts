import type { Clock } from '../../base/clock.ts';
import type { Check, Outcome } from '../finding.ts';
import { failure, fine } from '../outcome.ts';
import type { Step } from '../readiness/step.ts';
import type { ProbedStack } from '../readiness/stack-probes.ts';
import { lookAtStack } from '../readiness/watch-stack.ts';

/** The Electrum server has the whole chain: authorities ask it for what they know. */
export function targetCheck(stack: ProbedStack, clock: Clock): Check {
  return {
    id: 'target',
    title: 'the target is in step with the chain',
    run: async ({ signal }) =>
      judgeTargetSteps((await lookAtStack(stack, { clock, signal })).steps),
  };
}

const NEEDED = ['blocks', 'index', 'target'] as const;

export function judgeTargetSteps(
  steps: readonly Pick<Step, 'id' | 'title' | 'state' | 'detail'>[],
): Outcome {
  const needed = steps.filter(({ id }) => NEEDED.some((each) => each === id));
  const missing = needed.find(({ state }) => state !== 'done' && state !== 'skipped');
  if (missing === undefined) return fine(needed.at(-1)?.detail ?? 'it answers');
  return failure(
    `${missing.title}: not yet, ${missing.detail}`,
    'Wait until it is: sotto status --watch',
  );
}
