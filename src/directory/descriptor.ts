import { type NodeFlag, type OnionAddress } from './consensus.ts';
import { type NodeId } from './node-id.ts';
import { type PublicKey } from './public-key.ts';

export type NodeRole = Extract<NodeFlag, 'Gateway' | 'Relay'>;

/** A node's own signed statement of its keys and onion address (spec/directory.md section 3). */
export interface Descriptor {
  readonly nodeId: NodeId;
  readonly identity: PublicKey;
  readonly onion: OnionAddress;
  readonly roles: ReadonlySet<NodeRole>;
  /** The other nodes of the same operator, as this node says. */
  readonly family: readonly NodeId[];
  readonly replyKey: PublicKey;
}
