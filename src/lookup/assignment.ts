import { createHmac } from 'node:crypto';
import { concatBytes, fromHex, utf8 } from '../base/bytes.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode, type NodeFlag } from '../directory/consensus-node.ts';
import { type NodeId } from '../directory/node-id.ts';
import { LookupError, NOBODY } from './fault.ts';

const DAY_MS = 86_400_000;
/** A node that the consensus has not listed for so long is given up. */
export const UNLISTED_MS = 14 * DAY_MS;
/** After so long a choice is made again. */
export const BOUND_MS = 120 * DAY_MS;
const STICKY_RELAYS = 3;

/** A choice that lasts (spec/relay.md section 8.3). Times are in milliseconds since the epoch. */
export interface Binding {
  readonly nodeId: NodeId;
  readonly since: number;
  /** When the client first saw a consensus without the node; absent while it is listed. */
  readonly missingSince?: number;
}

export interface Chooser {
  /** 32 bytes that only this wallet knows. */
  readonly secret: Uint8Array;
  readonly consensus: Consensus;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Gateways that no address is bound to anew. Asked for only when one is chosen. */
  readonly spared?: () => ReadonlySet<NodeId>;
}

const RELAY_LABEL = utf8('relay');
const BROADCAST_LABEL = utf8('broadcast');
/** To send a transaction, to see it back, and to make up for one of the two. */
const MOST_SPARED = 3;
const LEAST_SPARED = 2;

/**
 * Weighted rendezvous hashing: `-weight / ln(u)`, with u in (0, 1) from the first 48 bits of
 * HMAC-SHA-256(secret, node id + subject). The highest score wins; a node that comes or goes moves
 * only the subjects that it wins or held.
 */
export function rendezvousScore(
  secret: Uint8Array,
  subject: Uint8Array,
  { nodeId, weight }: Pick<ConsensusNode, 'nodeId' | 'weight'>,
): number {
  const digest = createHmac('sha256', secret)
    .update(concatBytes(fromHex(nodeId), subject))
    .digest();
  const u = (digest.readUIntBE(0, 6) + 0.5) / 2 ** 48;
  return -weight / Math.log(u);
}

/**
 * The gateway that an address is bound to. It stays while it is listed, for `UNLISTED_MS` after, and
 * no longer than `BOUND_MS`.
 * @throws LookupError `no-gateway` when there is none to choose.
 */
export function bindGateway(
  chooser: Chooser,
  scriptHash: string,
  held: Binding | undefined,
): Binding {
  const kept = held && keptBinding(chooser, held, 'Gateway');
  if (kept !== undefined) return kept;
  const subject = fromHex(scriptHash);
  const spared = chooser.spared?.();
  const gateways = candidates(chooser.consensus, 'Gateway').filter(
    ({ nodeId }) => spared?.has(nodeId) !== true,
  );
  const [chosen] = ranked(chooser.secret, subject, gateways);
  if (chosen === undefined) {
    throw new LookupError('no-gateway', 'The consensus lists no running gateway.', {
      culprit: NOBODY,
    });
  }
  return { nodeId: chosen.nodeId, since: chooser.now };
}

/** The gateways, in the order in which a wallet keeps them free of addresses. */
export function broadcastOrder({
  secret,
  consensus,
}: Pick<Chooser, 'secret' | 'consensus'>): readonly ConsensusNode[] {
  return ranked(secret, BROADCAST_LABEL, candidates(consensus, 'Gateway'));
}

/**
 * Gateways that are kept free of addresses for as long as they hold none, so that the wallet can show
 * its transactions to somebody: half of them, 2 or 3, as far as one is left. `order`: all of them, by
 * `broadcastOrder`.
 */
export function sparedGateways(
  order: readonly ConsensusNode[],
  held: Iterable<Binding>,
): ReadonlySet<NodeId> {
  const holders = new Set<NodeId>();
  for (const { nodeId } of held) holders.add(nodeId);
  const half = Math.max(LEAST_SPARED, Math.floor(order.length / 2));
  const count = Math.max(0, Math.min(MOST_SPARED, half, order.length - 1));
  const free = order.filter(({ nodeId }) => !holders.has(nodeId));
  return new Set(free.slice(0, count).map(({ nodeId }) => nodeId));
}

/**
 * The relays that the wallet keeps, oldest first: those held that may stay, and new ones until
 * `STICKY_RELAYS` of distinct families are listed. One that is missing for a while keeps its place.
 * @throws LookupError `too-few-relays` when the consensus has not enough families.
 */
export function bindRelays(chooser: Chooser, held: readonly Binding[]): readonly Binding[] {
  const { consensus, secret, now } = chooser;
  const relays = held.flatMap((binding) => keptBinding(chooser, binding, 'Relay') ?? []);
  const families = new Set(usableRelays(consensus, relays).map(({ family }) => family));
  if (families.size >= STICKY_RELAYS) return relays;
  const taken = new Set(relays.map(({ nodeId }) => nodeId));
  for (const node of ranked(secret, RELAY_LABEL, candidates(consensus, 'Relay'))) {
    if (families.size >= STICKY_RELAYS) return relays;
    if (families.has(node.family) || taken.has(node.nodeId)) continue;
    families.add(node.family);
    relays.push({ nodeId: node.nodeId, since: now });
  }
  if (families.size < STICKY_RELAYS) {
    throw new LookupError(
      'too-few-relays',
      `The consensus lists running relays of ${families.size} families; ${STICKY_RELAYS} are needed.`,
      { culprit: NOBODY },
    );
  }
  return relays;
}

/** The first `STICKY_RELAYS` of the kept relays that are listed, have weight and are of distinct families. */
export function usableRelays(
  consensus: Consensus,
  relays: readonly Binding[],
): readonly ConsensusNode[] {
  const usable = new Map<NodeId, ConsensusNode>();
  for (const { nodeId } of relays) {
    const node = consensus.node(nodeId);
    if (node?.flags.has('Relay') !== true || node.weight === 0) continue;
    if (!usable.has(node.family)) usable.set(node.family, node);
  }
  return [...usable.values()].slice(0, STICKY_RELAYS);
}

export interface RouteOptions {
  readonly secret: Uint8Array;
  readonly subject: Uint8Array;
  readonly relays: readonly ConsensusNode[];
}

/**
 * The relays through which a gateway may be asked about a subject, in the order to try them. The
 * order is fixed for a subject, so that it is bound to one relay. Never the gateway's own family.
 */
export function relaysTo(
  gateway: ConsensusNode,
  { secret, subject, relays }: RouteOptions,
): readonly ConsensusNode[] {
  const apart = relays.filter(
    ({ nodeId, family }) => nodeId !== gateway.nodeId && family !== gateway.family,
  );
  // Of equal weight here: the weights counted when the relays were chosen.
  const label = concatBytes(RELAY_LABEL, subject);
  return byScore(apart, ({ nodeId }) => rendezvousScore(secret, label, { nodeId, weight: 1 }));
}

/** `relaysTo`, at least one. @throws LookupError `no-route` when no relay is left. */
export function routesTo(gateway: ConsensusNode, options: RouteOptions): readonly ConsensusNode[] {
  const relays = relaysTo(gateway, options);
  if (relays.length > 0) return relays;
  throw new LookupError(
    'no-route',
    `Every relay in use is of the same family as gateway ${gateway.nodeId}, so it is not asked.`,
    { culprit: NOBODY },
  );
}

/** The nodes that may be chosen anew for a role. */
export function candidates(consensus: Consensus, role: NodeFlag): readonly ConsensusNode[] {
  return consensus.nodes.filter(
    ({ flags, weight }) => flags.has(role) && flags.has('Running') && weight > 0,
  );
}

/** By falling rendezvous score. With a fresh secret: a random order that favours weight. */
export function ranked(
  secret: Uint8Array,
  subject: Uint8Array,
  nodes: readonly ConsensusNode[],
): readonly ConsensusNode[] {
  return byScore(nodes, (node) => rendezvousScore(secret, subject, node));
}

function byScore(
  nodes: readonly ConsensusNode[],
  scoreOf: (node: ConsensusNode) => number,
): readonly ConsensusNode[] {
  return nodes
    .map((node) => ({ node, score: scoreOf(node) }))
    .sort((a, b) => b.score - a.score)
    .map(({ node }) => node);
}

/** The binding as it is to be kept, or undefined when it has ended. */
function keptBinding(
  { consensus, now }: Pick<Chooser, 'consensus' | 'now'>,
  { nodeId, since, missingSince = now }: Binding,
  role: NodeFlag,
): Binding | undefined {
  if (now - since >= BOUND_MS) return undefined;
  if (consensus.node(nodeId)?.flags.has(role) === true) return { nodeId, since };
  return now - missingSince < UNLISTED_MS ? { nodeId, since, missingSince } : undefined;
}
