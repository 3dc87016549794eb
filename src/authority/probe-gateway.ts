import { messageOf } from '../base/errors.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { type FollowedHeaders } from '../electrum/follow-headers.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { type Answered, refuse } from '../lookup/ask.ts';
import { AttemptError } from '../lookup/attempt-error.ts';
import { type SignedAnswer } from '../lookup/attempt.ts';
import { LookupError, type LookupErrorCode } from '../lookup/fault.ts';
import { fetchHistory } from '../lookup/fetch-history.ts';
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

/** A gateway, and the ways to it. */
export interface GatewayProbe {
  readonly consensus: Consensus;
  readonly gateway: ConsensusNode;
  /** In the order to try them, of distinct families, none of the gateway's. */
  readonly relays: readonly ConsensusNode[];
  readonly ask: AskThrough;
}

export interface ProbeGatewayParts {
  readonly scripts: Pick<KnownScripts, 'draw' | 'isProved'>;
  /** Of the authority's own target. */
  readonly headers: Pick<FollowedHeaders, 'chain' | 'reach'>;
  /** Told which relays carried the questions and the answers. */
  readonly carried: CarriedCells;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** So many are to bring an answer, and so many are tried for it. */
const [RELAYS, MOST_RELAYS] = [2, 4];
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
 * Asks a gateway about scripts whose history is known, as a client would, through one relay after the
 * other. A relay that lost what another one carried is noted.
 * @throws ProbeError `wrong` when the gateway signed what is not so; ProbeError `unclear` when nothing is
 * learnt of it; another error when it does not answer as it should; the signal's reason.
 */
export async function probeGateway(
  probe: GatewayProbe,
  parts: ProbeGatewayParts,
  signal: AbortSignal,
): Promise<void> {
  const { gateway, relays } = probe;
  const { carried } = parts;
  const lost: Lost[] = [];
  let brought = 0;
  const settle = (relay: ConsensusNode): void => {
    carried.note(relay.nodeId, { family: gateway.family, carried: true });
    for (const each of lost.splice(0)) {
      if (isOfLoad(each.error) || isOfNewConsensus(each.error, probe, parts)) continue;
      carried.note(each.relay.nodeId, { family: gateway.family, carried: false });
    }
  };
  let failure: AttemptError | undefined;
  for (const relay of relays.slice(0, MOST_RELAYS)) {
    const known = await parts.scripts.draw(gateway.nodeId, { signal });
    try {
      await askAbout(known, relay, { probe, parts, signal });
    } catch (error) {
      if (error instanceof AttemptError && (error.suspect !== 'gateway' || isOfLoad(error))) {
        lost.push({ relay, error });
        failure = error;
        continue;
      }
      if (!signal.aborted) settle(relay);
      throw error instanceof AttemptError && isOfNewConsensus(error, probe, parts)
        ? new ProbeError('unclear', error.code, { cause: error })
        : error;
    }
    brought += 1;
    settle(relay);
    if (brought === RELAYS) return;
  }
  if (brought > 0) return;
  const mayBeItsFault = lost.filter(({ error }) => error.suspect !== 'relay').length >= RELAYS;
  if (mayBeItsFault) throw new Error(`no answer through ${lost.length} relays`, { cause: failure });
  throw new ProbeError('unclear', 'no relay could be asked', { cause: failure });
}

interface Asking {
  readonly probe: GatewayProbe;
  readonly parts: ProbeGatewayParts;
  readonly signal: AbortSignal;
}

async function askAbout(
  known: KnownHistory,
  relay: ConsensusNode,
  { probe, parts, signal }: Asking,
): Promise<void> {
  const { gateway, ask } = probe;
  const { scripts, headers } = parts;
  const { chain } = headers;
  const put = async (query: Query): Promise<Answered> => {
    const answer = await ask(relay, query, signal);
    refuse(answer, gateway.nodeId);
    return { ...answer, relay: relay.nodeId };
  };
  try {
    const told = await fetchHistory(known.scriptHash, put);
    await headers.reach(told.tip.height, { signal });
    const missing = leftOut(told, known, chain);
    for (const item of missing) {
      if (await scripts.isProved(item, { signal })) {
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

function isOfLoad({ code }: AttemptError): boolean {
  return OF_LOAD.includes(code);
}

/** Whether it may be because not every node has the newest consensus yet. */
function isOfNewConsensus(
  { code }: AttemptError,
  { consensus: { validAfter, freshUntil } }: GatewayProbe,
  { now }: ProbeGatewayParts,
): boolean {
  const spreadUntil = validAfter + SPREAD_PART * (freshUntil - validAfter);
  return OF_THE_DIRECTORY.includes(code) && now() < spreadUntil * 1000;
}
