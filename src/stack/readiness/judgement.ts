import type { Network } from '../../bitcoin/networks.ts';
import type { BridgeLookup, TargetKind } from '../../config/stack-config.ts';
import type { OnionName } from '../home.ts';
import type { Observations } from './observations.ts';
import type { StepState } from './step.ts';

/** What of a plan decides which steps there are, and what they look for. */
export interface Subject {
  readonly network: Network;
  readonly target: TargetKind;
  /** Those that this server has. */
  readonly onions: readonly OnionName[];
  /** Of a relay network. */
  readonly membership: 'none' | 'joins' | 'leaves';
  /** What its bridge asks; absent without one. */
  readonly bridge?: BridgeLookup | undefined;
  /** Where bitcoind and the target keep their data, for those who must remove it. */
  readonly chainDirectory: string;
  readonly indexDirectory: string;
}

export interface JudgeContext {
  readonly subject: Subject;
  readonly nowMs: number;
}

/** What a step comes to by what was observed, whatever the steps before it say. */
export interface Judgement {
  readonly state: Exclude<StepState, 'waiting'>;
  readonly detail: string;
  /** 0 to 1 of the work. */
  readonly progress?: number;
  readonly advice?: Advice;
}

export interface Advice {
  readonly text: string;
  /** So long without getting on is ordinary. */
  readonly afterMs: number;
}

export type Judge = (observations: Observations, context: JudgeContext) => Judgement;

export const MINUTE_MS = 60_000;

export function done(detail: string): Judgement {
  return { state: 'done', detail };
}

export function skipped(detail: string): Judgement {
  return { state: 'skipped', detail };
}

export function working(detail: string, advice?: Advice): Judgement {
  return { state: 'working', detail, ...(advice && { advice }) };
}

export function failed(detail: string, hint: string): Judgement {
  return { state: 'failed', detail, advice: { text: hint, afterMs: 0 } };
}
