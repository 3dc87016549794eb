import { type NodeId } from './node-id.ts';
import { type PublicKey } from './public-key.ts';

/** What the authorities say about a node. */
export type NodeFlag = 'Gateway' | 'Relay' | 'Running' | 'Stable';

/** A v3 onion service. */
export interface OnionAddress {
  /** 56 base32 characters and `.onion`. */
  readonly host: string;
  readonly port: number;
}

/** One node line of a consensus (spec/directory.md section 4). */
export interface ConsensusNode {
  readonly nodeId: NodeId;
  /** SHA-256 of the text of the node's descriptor. */
  readonly descriptorDigest: Uint8Array;
  readonly weight: number;
  readonly flags: ReadonlySet<NodeFlag>;
  /** The smallest node id of the node's family: its own when it is alone. */
  readonly family: NodeId;
  readonly onion: OnionAddress;
  /** RFC 9458 key configurations of 41 bytes: of the current key epoch and of the next. */
  readonly keyConfigs: readonly [current: Uint8Array, next: Uint8Array];
  /** Verifies the node's replies and outer errors. */
  readonly replyKey: PublicKey;
}

/** Parameters of the whole network, such as `mix-ms`, by name. Values are whole numbers. */
export type ConsensusParams = ReadonlyMap<string, number>;

/** A list of nodes that a threshold of authorities signed (spec/directory.md section 4). */
export interface Consensus {
  /** What was signed: lines that end in LF. */
  readonly text: string;
  /** SHA-256 of the text. */
  readonly hash: Uint8Array;
  readonly network: string;
  readonly epoch: number;
  /** Hash of the consensus before it; zeros for the first. */
  readonly prev: Uint8Array;
  /** Unix seconds. */
  readonly validAfter: number;
  readonly freshUntil: number;
  readonly validUntil: number;
  readonly params: ConsensusParams;
  /** In the order of their node ids. */
  readonly nodes: readonly ConsensusNode[];
  node(id: NodeId): ConsensusNode | undefined;
}
