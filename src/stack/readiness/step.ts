/** The steps of readiness, in the order in which a new server takes them. */
export const STEP_IDS = [
  'tor',
  'onions',
  'headers',
  'blocks',
  'index',
  'target',
  'bridge',
  'wallet-onion',
  'relay-onion',
  'listed',
] as const;

export type StepId = (typeof STEP_IDS)[number];

export const STEP_TITLES: Readonly<Record<StepId, string>> = {
  tor: 'tor reaches its network',
  onions: 'the onions are published',
  headers: 'bitcoind has the headers',
  blocks: 'bitcoind has the blocks',
  index: 'the target has indexed them',
  target: 'the target answers',
  bridge: 'the bridge answers',
  'wallet-onion': 'the wallet onion answers',
  'relay-onion': 'the relay onion answers',
  listed: 'the consensus lists this node',
};

/**
 * - `waiting`: for a step before it, or for a service that was stopped.
 * - `failed`: time alone mends nothing; the hint says what does.
 * - `skipped`: not a part of this server.
 */
export type StepState = 'waiting' | 'working' | 'done' | 'skipped' | 'failed';

export interface Step {
  readonly id: StepId;
  readonly title: string;
  readonly state: StepState;
  /** What it waits for, or what came of it: a few words. */
  readonly detail: string;
  /** 0 to 100, rounded down to a tenth; absent when it cannot be told. */
  readonly percent?: number;
  /** Absent when it is not known: too little was seen, or nothing moves. */
  readonly etaSeconds?: number;
  /** What the person can do, once it takes too long or has failed. */
  readonly hint?: string;
  /** Milliseconds since the epoch: since when it waits for this. */
  readonly sinceMs: number;
}

/** Whether nothing is left to wait for. */
export function isReady(steps: readonly Step[]): boolean {
  return steps.every(({ state }) => state === 'done' || state === 'skipped');
}
