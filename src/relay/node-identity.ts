import type { NodeId } from '../directory/node-id.ts';

/** Who this node is towards the network. */
export interface NodeIdentity {
  readonly nodeId: NodeId;
  /** The other nodes of the same operator. */
  readonly family: readonly NodeId[];
  /** Signs replies and outer errors. */
  readonly replyKey: ReplySigner;
}

export interface ReplySigner {
  /**
   * 64 bytes, by the reply key that a consensus names for this node: the one whose hash begins with
   * these 16 bytes, when the asker said which it goes by, else the newest.
   */
  sign(message: Uint8Array, consensusHash?: Uint8Array): Uint8Array;
}
