import { toHex } from '../base/bytes.ts';
import type { Consensus, ConsensusNode } from './consensus.ts';
import type { NodeFlag } from './consensus-node.ts';
import type { NodeId } from './node-id.ts';

/** One node as `sotto directory show` prints it. */
export interface NodeRow {
  readonly nodeId: NodeId;
  /** `host:port`. */
  readonly onion: string;
  readonly roles: readonly ('relay' | 'gateway')[];
  readonly family: NodeId;
  readonly weight: number;
  readonly flags: readonly NodeFlag[];
}

/** A consensus in plain values, for a table or JSON. */
export interface ConsensusDescription {
  readonly network: string;
  readonly epoch: number;
  /** SHA-256 of the text in hexadecimal characters. */
  readonly hash: string;
  readonly state: 'not yet valid' | 'fresh' | 'valid' | 'expired';
  /** ISO 8601, UTC. */
  readonly validAfter: string;
  readonly freshUntil: string;
  readonly validUntil: string;
  readonly params: Readonly<Record<string, number>>;
  readonly nodes: readonly NodeRow[];
}

/** `now` is in milliseconds since the Unix epoch. */
export function describeConsensus(consensus: Consensus, now: number): ConsensusDescription {
  const { network, epoch, hash, validAfter, freshUntil, validUntil, params, nodes } = consensus;
  return {
    network,
    epoch,
    hash: toHex(hash),
    state: stateAt(consensus, now / 1000),
    validAfter: isoTime(validAfter),
    freshUntil: isoTime(freshUntil),
    validUntil: isoTime(validUntil),
    params: Object.fromEntries(params),
    nodes: nodes.map(describeNode),
  };
}

function describeNode({ nodeId, onion, family, weight, flags }: ConsensusNode): NodeRow {
  return {
    nodeId,
    onion: `${onion.host}:${onion.port}`,
    roles: [
      ...(flags.has('Relay') ? (['relay'] as const) : []),
      ...(flags.has('Gateway') ? (['gateway'] as const) : []),
    ],
    family,
    weight,
    flags: [...flags],
  };
}

function stateAt(
  { validAfter, freshUntil, validUntil }: Consensus,
  seconds: number,
): ConsensusDescription['state'] {
  if (seconds < validAfter) return 'not yet valid';
  if (seconds < freshUntil) return 'fresh';
  return seconds < validUntil ? 'valid' : 'expired';
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
