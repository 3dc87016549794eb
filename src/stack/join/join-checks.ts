import type { Clock } from '../../base/clock.ts';
import { bondCheck } from '../doctor/bond-check.ts';
import { relayOnion } from '../doctor/own-onion.ts';
import { memoryRoom } from '../doctor/memory-room.ts';
import { torCheck } from '../doctor/tor-check.ts';
import type { Check } from '../finding.ts';
import type { Stack } from '../open-stack.ts';
import { clockCheck } from '../preflight/clock.ts';
import { policyCheck } from './policy-check.ts';
import { targetCheck } from './target-check.ts';

export interface JoinChecksOptions {
  readonly policyFile: string;
  /** What `sotto bond prove` wrote. */
  readonly bondFile?: string | undefined;
  readonly clock: Clock;
}

/** What must be so before a node asks to be listed. None of it changes anything. */
export function joinChecks(
  stack: Stack,
  { policyFile, bondFile, clock }: JoinChecksOptions,
): readonly Check[] {
  const { plan, backend, home, config } = stack;
  return [
    policyCheck(policyFile, config),
    clockCheck(clock),
    torCheck(home, clock),
    memoryRoom(plan, backend),
    targetCheck(stack, clock),
    ...(bondFile === undefined ? [] : [bondCheck(bondFile, stack)]),
    relayOnion(plan, clock),
  ];
}
