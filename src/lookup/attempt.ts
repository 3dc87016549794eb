import { randomBytes } from 'node:crypto';
import { type Clock } from '../base/clock.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { encodeQuery, type Query } from '../query/query.ts';
import { sealCell, type SealedCell } from '../relay/cell.ts';
import { type Answer } from '../relay/frame-payload.ts';
import { LinkError } from '../relay/link-error.ts';
import { decodeReply, encodeRequest, type Reply } from '../relay/message.ts';
import { RelayError } from '../relay/relay-error.ts';
import { type RelayLink } from '../relay/relay-link.ts';
import { AttemptError } from './attempt-error.ts';
import { keyConfigAt } from './epoch-key.ts';
import { type LookupErrorCode, type SignedReply } from './fault.ts';
import { readOuterError } from './outer-error.ts';
import { type Purpose, type RelayPool } from './relay-pool.ts';
import { type Turns } from './turns.ts';

/** The way of one cell. */
export interface Route {
  readonly consensus: Consensus;
  readonly relay: ConsensusNode;
  readonly gateway: ConsensusNode;
  readonly purpose: Purpose;
}

/** A reply that carries the signature of the gateway it was asked of. Its code may be a refusal. */
export interface SignedAnswer {
  readonly reply: Reply;
  readonly evidence: SignedReply;
}

export interface AttemptContext {
  readonly pool: RelayPool;
  readonly turns: Turns;
  readonly clock: Clock;
}

/**
 * Asks once, in a cell of its own.
 * @throws AttemptError, or the signal's reason when aborted.
 */
export async function attempt(
  query: Query,
  route: Route,
  { pool, turns, clock, signal }: AttemptContext & { readonly signal: AbortSignal },
): Promise<SignedAnswer> {
  const { relay, gateway, purpose } = route;
  const link = await connected(pool.link(relay.onion, purpose), signal);
  await turns.next();
  const now = clock();
  const request = requestOf(query, route, now);
  const sealed = seal(request, gateway, now);
  const { status, body } = await forwarded(link, { sealed, gateway, signal });
  if (status === 'OK') return open({ body, sealed, request, gateway });
  throw readOuterError({ status, body, cell: sealed.cell, relay, gateway });
}

function requestOf(query: Query, { consensus }: Route, now: number): Uint8Array {
  return encodeRequest({
    ...encodeQuery(query),
    minute: Math.floor(now / 60_000),
    consensusHash: consensus.hash.subarray(0, 16),
    nonce: randomBytes(16),
  });
}

async function connected(link: Promise<RelayLink>, signal: AbortSignal): Promise<RelayLink> {
  try {
    return await unlessAborted(link, signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw new AttemptError('relay-unreachable', { suspect: 'relay', cause });
  }
}

function seal(plaintext: Uint8Array, gateway: ConsensusNode, now: number): SealedCell {
  const { nodeId } = gateway;
  try {
    return sealCell({ keyConfig: keyConfigAt(gateway, now), nodeId, plaintext });
  } catch (cause) {
    if (!(cause instanceof RelayError)) throw cause;
    throw new AttemptError('key-unknown', { suspect: 'gateway', cause });
  }
}

interface Sending {
  readonly sealed: SealedCell;
  readonly gateway: ConsensusNode;
  readonly signal: AbortSignal;
}

async function forwarded(
  link: RelayLink,
  { sealed: { cell }, gateway: { nodeId }, signal }: Sending,
): Promise<Answer> {
  try {
    return await link.forward({ nodeId, cell, signal });
  } catch (cause) {
    if (!(cause instanceof LinkError)) throw cause;
    throw new AttemptError(codeOf(cause), { suspect: 'relay', cause });
  }
}

/** An honest relay says in time that a gateway is silent, and keeps its link up. */
function codeOf({ code }: LinkError): LookupErrorCode {
  if (code === 'hello') return 'relay-unreachable';
  return code === 'no-answer' ? 'no-answer' : 'link-broken';
}

interface Opening {
  readonly body: Uint8Array;
  readonly sealed: SealedCell;
  readonly request: Uint8Array;
  readonly gateway: ConsensusNode;
}

function open({ body, sealed, request, gateway: { nodeId, replyKey } }: Opening): SignedAnswer {
  let bytes: Uint8Array;
  try {
    bytes = sealed.openReply(body);
  } catch (cause) {
    if (!(cause instanceof RelayError)) throw cause;
    throw new AttemptError('undecryptable', { suspect: 'either', cause });
  }
  const evidence: SignedReply = { nodeId, request, reply: bytes };
  try {
    const verify = replyKey.verify.bind(replyKey);
    return { reply: decodeReply({ bytes, nodeId, request, verify }), evidence };
  } catch (cause) {
    if (!(cause instanceof RelayError)) throw cause;
    // What opens was sealed by the gateway: no relay can have written it.
    const code = cause.code === 'BAD_SIGNATURE' ? 'bad-signature' : 'malformed-reply';
    throw new AttemptError(code, { suspect: 'gateway', cause, evidence });
  }
}
