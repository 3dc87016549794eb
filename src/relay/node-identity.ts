import type { NodeId } from '../directory/node-id.ts';
import type { SigningKey } from '../directory/signing-key.ts';

/** Who this node is towards the network. */
export interface NodeIdentity {
  readonly nodeId: NodeId;
  /** The other nodes of the same operator. */
  readonly family: readonly NodeId[];
  /** Signs replies and outer errors. */
  readonly replyKey: Pick<SigningKey, 'sign'>;
}
