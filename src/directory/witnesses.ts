import { createHash } from 'node:crypto';
import { fromHex, toHex } from '../base/bytes.ts';
import { type Consensus, type ConsensusNode } from './consensus.ts';
import { type NodeId } from './node-id.ts';
import { type NoteVerifier } from './note.ts';

/** As many as a note has room for beside the authorities. */
const MAX_WITNESSES = 32;

/** Under this name a node signs its descriptor and cosigns checkpoints. */
export function witnessName(nodeId: NodeId): string {
  return `sotto/${nodeId}`;
}

/**
 * Who cosigns the log up to and with the consensus after this one: of the nodes that run, the weightiest
 * of each family, the 32 weightiest of these; of one weight those that the hash of the consensus draws, which
 * nobody knows who makes a node id. A node cosigns with the reply key that the consensus gives it, because that
 * one is known to all and need not be kept offline.
 */
export function witnessesOf({
  nodes,
  hash,
}: Pick<Consensus, 'nodes' | 'hash'>): readonly NoteVerifier[] {
  const ofFamily = new Map<string, ConsensusNode>();
  const running = nodes
    .filter(({ flags }) => flags.has('Running'))
    .map((node) => ({ node, lot: lotOf(node.nodeId, hash) }))
    .sort((one, other) => other.node.weight - one.node.weight || (one.lot < other.lot ? -1 : 1));
  for (const { node } of running) {
    if (!ofFamily.has(node.family)) ofFamily.set(node.family, node);
  }
  return [...ofFamily.values()]
    .slice(0, MAX_WITNESSES)
    .map(({ nodeId, replyKey }) => ({ name: witnessName(nodeId), key: replyKey }));
}

function lotOf(nodeId: NodeId, hash: Uint8Array): string {
  return toHex(createHash('sha256').update(hash).update(fromHex(nodeId)).digest());
}
