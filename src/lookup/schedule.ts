/**
 * When the history of an address is asked for anew. A wallet's first question about an address goes
 * out at once, and one about a history whose block left the chain: these are all others. Times are in
 * milliseconds since the epoch, `NEVER` when nothing but another event brings it on.
 */
export interface Schedule {
  /** What it gives away and what it holds back, for the user: whole sentences. */
  readonly cost: string;
  /** After each question, answered or not. Wanted: a wallet is there that was told the history. */
  afterQuestion(now: number, wanted: boolean): number;
  /** At the latest, once a wallet wants what none has wanted for a while. */
  whenWanted(now: number): number;
  /** At the latest, once there is a new block, for what is wanted. */
  afterBlock(now: number): number;
  /** At the start, for a history whose time was to be `due`. */
  atOpening(now: number, due: number): number;
}

export const NEVER = Number.POSITIVE_INFINITY;

export interface SteadyOptions {
  /** Between two questions about one address: the same for all clients, or it tells them apart. */
  readonly meanMs: number;
  /** Uniform, from 0 to under 1. */
  readonly random: () => number;
}

/**
 * A Poisson process for each address: its questions come at moments that have nothing to do with
 * those of another, with the wallet or with the blocks. A process without
 * memory may start again at any moment, so that neither a failure nor a restart of the bridge brings
 * the questions about several addresses together.
 */
export function steadySchedule({ meanMs, random }: SteadyOptions): Schedule {
  const later = (now: number): number => now - meanMs * Math.log(1 - random());
  return {
    cost: `Each address is asked about on its own, once in ${inWords(meanMs)} on average, so gateways cannot tell by the time which addresses are of one wallet. A payment may show that much later.`,
    afterQuestion: later,
    whenWanted: () => NEVER,
    afterBlock: () => NEVER,
    atOpening: (now, due) => (due > now ? due : later(now)),
  };
}

export interface FastOptions {
  /** Between two questions about one address, on average. */
  readonly everyMs: number;
  /** Over which the questions that one event causes are spread. */
  readonly windowMs: number;
  /** Uniform, from 0 to under 1. */
  readonly random: () => number;
}

/** Asks about everything that a wallet wants after each block, and now and then in between. */
export function fastSchedule({ everyMs, windowMs, random }: FastOptions): Schedule {
  const soon = (now: number): number => now + windowMs * random();
  return {
    cost: `All addresses of an open wallet are asked about after each block and once in ${inWords(everyMs)}. Gateways that compare the times learn which addresses are of one wallet.`,
    afterQuestion: (now, wanted) => (wanted ? now + everyMs * (0.5 + random()) : NEVER),
    whenWanted: soon,
    afterBlock: soon,
    atOpening: () => NEVER,
  };
}

/** For a server that tells of changes by itself: asks now and then, should it have missed one. */
export function hintedSchedule(options: FastOptions): Schedule {
  const { everyMs } = options;
  return {
    ...fastSchedule(options),
    cost: `The server tells of changes by itself, and is asked once in ${inWords(everyMs)} besides. It sees all addresses.`,
    afterBlock: () => NEVER,
  };
}

function inWords(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} seconds`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} minutes`;
  return `${Math.round(ms / 3_600_000)} hours`;
}
