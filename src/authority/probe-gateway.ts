import { type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { type FollowedHeaders } from '../electrum/follow-headers.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { refuse } from '../lookup/ask.ts';
import { AttemptError } from '../lookup/attempt-error.ts';
import { type SignedAnswer } from '../lookup/attempt.ts';
import { LookupError, type LookupErrorCode } from '../lookup/fault.ts';
import { fetchHistory, type Put } from '../lookup/fetch-history.ts';
import { readBody } from '../lookup/read-body.ts';
import { decodeHistoryBody } from '../query/history-body.ts';
import { decodeTransactionBody } from '../query/transaction-body.ts';
import { type Query } from '../query/query.ts';
import { type CarriedCells } from './carried-cells.ts';
import { leftOut } from './judge-history.ts';
import { type KnownHistory, type KnownScripts } from './known-scripts.ts';
import { ProbeError } from './probe-error.ts';

/** Asks the gateway once through a relay. Rejects as `attempt` does. */
export type AskThrough = (
  relay: ConsensusNode,
  query: Query,
  signal: AbortSignal,
) => Promise<SignedAnswer>;

/** A question to a gateway, and the ways to it. */
export interface GatewayProbe {
  readonly consensus: Consensus;
  readonly gateway: ConsensusNode;
  readonly known: KnownHistory;
  /** In the order to try them, of distinct families, none of the gateway's. */
  readonly relays: readonly ConsensusNode[];
  readonly ask: AskThrough;
}

export interface ProbeGatewayParts {
  readonly scripts: Pick<KnownScripts, 'isProved'>;
  /** Of the authority's own target. */
  readonly headers: Pick<FollowedHeaders, 'chain' | 'reach'>;
  /** Told which relays carried the questions and the answers. */
  readonly carried: CarriedCells;
  /** Milliseconds, by the clock of `carried`, which nobody sets. */
  readonly now: () => number;
  /** By which a consensus is new. */
  readonly clock: Clock;
}

/** Through so many relays a gateway is to be without an answer before it is at fault. */
const RELAYS = 2;
/** Blocks come while a gateway is asked, and then the history of an address can have grown a little. */
const MOST_NEW_ITEMS = 16;
/** Pages of the history and pieces of its transactions: a megabyte. */
const MOST_QUESTIONS = 256;
/** From the first answer to the last question. */
const READ_MS = 120_000;
/** Part of the time for which a consensus is fresh: until then nodes may not have it yet. */
const SPREAD_PART = 1 / 2;
/** What a node says that goes by another consensus. */
const OF_THE_DIRECTORY: readonly LookupErrorCode[] = ['directory-mismatch', 'relay-does-not-list'];
/** What a gateway says when it has too much to do, perhaps of one relay only, which may have seen to that. */
const OF_LOAD: readonly LookupErrorCode[] = ['overload', 'busy'];
/** What no gateway signs that keeps to the rules. */
const SIGNED_WRONG: readonly LookupErrorCode[] = ['bad-signature', 'malformed-reply'];

interface Lost {
  readonly relay: ConsensusNode;
  readonly error: AttemptError;
}

/**
 * Asks a gateway about a script whose history is known, as a client would, through one relay after the
 * other until one brings an answer. A relay that lost what another one carried is noted.
 * @throws ProbeError `wrong` when the gateway signed what is not so; ProbeError `unclear` when nothing is
 * learnt of it; another error when it does not answer as it should; the signal's reason.
 */
export async function probeGateway(
  probe: GatewayProbe,
  parts: ProbeGatewayParts,
  signal: AbortSignal,
): Promise<void> {
  const { gateway, relays } = probe;
  const { carried, now } = parts;
  const { family } = gateway;
  const lost: Lost[] = [];
  const settle = (relay: ConsensusNode): void => {
    const at = now();
    carried.note(relay.nodeId, { family, carried: true, at });
    for (const { relay: loser, error } of lost) {
      if (isOfLoad(error) || isOfNewConsensus(error, probe, parts)) continue;
      carried.note(loser.nodeId, { family, carried: false, at });
    }
  };
  for (const relay of relays) {
    try {
      await askThrough(relay, { probe, parts, signal });
    } catch (error) {
      if (error instanceof AttemptError && (error.suspect !== 'gateway' || isOfLoad(error))) {
        lost.push({ relay, error });
        continue;
      }
      if (!signal.aborted) settle(relay);
      throw error instanceof AttemptError && isOfNewConsensus(error, probe, parts)
        ? new ProbeError('unclear', error.code, { cause: error })
        : error;
    }
    settle(relay);
    return;
  }
  const cause = lost.at(-1)?.error;
  const mayBeItsFault = lost.filter(({ error }) => error.suspect !== 'relay').length >= RELAYS;
  if (mayBeItsFault) throw new Error(`no answer through ${lost.length} relays`, { cause });
  throw new ProbeError('unclear', 'no relay could be asked', { cause });
}

interface Asking {
  readonly probe: GatewayProbe;
  readonly parts: ProbeGatewayParts;
  readonly signal: AbortSignal;
}

async function askThrough(relay: ConsensusNode, { probe, parts, signal }: Asking): Promise<void> {
  const { known } = probe;
  const { scripts, headers } = parts;
  const { chain } = headers;
  const put = boundedPut(relay, { probe, parts, signal });
  try {
    const told = await fetchHistory(known.scriptHash, put);
    await headers.reach(told.tip.height, { signal });
    const missing = leftOut(told, known, chain);
    for (const item of missing) {
      if (await scripts.isProved(item, known, { signal })) {
        throw new ProbeError('wrong', 'it leaves a transaction out of a history');
      }
    }
    if (missing.length > 0) throw new ProbeError('unclear', 'the target tells what is not so');
  } catch (error) {
    signal.throwIfAborted();
    const isSigned = error instanceof AttemptError || error instanceof LookupError;
    const isWrong = error instanceof ProofError || (isSigned && SIGNED_WRONG.includes(error.code));
    if (!isWrong) throw error;
    if (chain.headerAt(known.tip.height)?.hash !== known.tip.hash) {
      throw new ProbeError('unclear', 'the chain changed meanwhile', { cause: error });
    }
    throw new ProbeError('wrong', messageOf(error), { cause: error });
  }
}

/** Puts questions of one history: a gateway decides how many it takes, and for how long. */
function boundedPut(relay: ConsensusNode, { probe, parts, signal }: Asking): Put {
  const { gateway, known, ask } = probe;
  const { now } = parts;
  let questions = 0;
  let until = Infinity;
  return async (query) => {
    questions += 1;
    if (questions > MOST_QUESTIONS) throw new ProbeError('unclear', 'it takes too many questions');
    if (now() > until) throw new Error('it is slow to give the whole history');
    const answer = await ask(relay, query, signal);
    refuse(answer, gateway.nodeId);
    until = Math.min(until, now() + READ_MS);
    if (query.op === 'HISTORY') {
      const { total } = readBody(answer, decodeHistoryBody);
      if (total > known.items.length + MOST_NEW_ITEMS) {
        throw new Error('it tells of far more transactions than the target of this authority');
      }
    }
    if (query.op === 'TX' && query.cursor === undefined) {
      const { size, bytes } = readBody(answer, decodeTransactionBody);
      if (size > MOST_QUESTIONS * bytes.length)
        throw new Error('it cuts a transaction into crumbs');
    }
    return { ...answer, relay: relay.nodeId };
  };
}

function isOfLoad({ code }: AttemptError): boolean {
  return OF_LOAD.includes(code);
}

/** Whether it may be because not every node has the newest consensus yet. */
function isOfNewConsensus(
  { code }: AttemptError,
  { consensus: { validAfter, freshUntil } }: GatewayProbe,
  { clock }: ProbeGatewayParts,
): boolean {
  const spreadUntil = validAfter + SPREAD_PART * (freshUntil - validAfter);
  return OF_THE_DIRECTORY.includes(code) && clock() < spreadUntil * 1000;
}
