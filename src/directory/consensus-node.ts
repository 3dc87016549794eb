import { toBase64 } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import {
  BASE64_OF_32,
  BASE64_OF_41,
  bytesOf,
  NODE_ID,
  NUMBER,
  ONION_HOST,
  parseNumber,
  parsePort,
} from './fields.ts';
import { type KeyConfigs, checkKeyIds } from './key-configs.ts';
import { MAX_WEIGHT } from './limits.ts';
import { type NodeId } from './node-id.ts';
import { deferPublicKey, type PublicKey } from './public-key.ts';

/** What the authorities say about a node, in the order in which a consensus writes it. */
export const NODE_FLAGS = ['Relay', 'Gateway', 'Running', 'Stable', 'Bonded'] as const;

export type NodeFlag = (typeof NODE_FLAGS)[number];

/** A v3 onion service. */
export interface OnionAddress {
  /** 56 base32 characters and `.onion`. */
  readonly host: string;
  readonly port: number;
}

/** One node line of a consensus (spec/directory.md section 5). */
export interface ConsensusNode {
  readonly nodeId: NodeId;
  /** SHA-256 of the text of the node's descriptor. */
  readonly descriptorDigest: Uint8Array;
  readonly weight: number;
  readonly flags: ReadonlySet<NodeFlag>;
  /** The smallest node id of the node's family: its own when it is alone. */
  readonly family: NodeId;
  readonly onion: OnionAddress;
  readonly keyConfigs: KeyConfigs;
  /** Verifies the node's replies and outer errors. A weak key verifies nothing. */
  readonly replyKey: PublicKey;
}

const NODE_LINE = new RegExp(
  `^node (${NODE_ID}) (${BASE64_OF_32}) (${NUMBER}) ([A-Za-z,]+) (${NODE_ID}) ` +
    `(${ONION_HOST}):(${NUMBER}) (${BASE64_OF_41}) (${BASE64_OF_41}) (${BASE64_OF_32})$`,
);

/** Every set of flags by its text: there are few, and thousands of nodes share them. */
const FLAG_SETS: ReadonlyMap<string, ReadonlySet<NodeFlag>> = new Map(
  Array.from({ length: 2 ** NODE_FLAGS.length - 1 }, (_, index) => {
    const flags = NODE_FLAGS.filter((_flag, bit) => ((index + 1) >> bit) & 1);
    return [flags.join(','), new Set(flags)];
  }),
);

export function renderNode(node: ConsensusNode): string {
  return [
    'node',
    node.nodeId,
    toBase64(node.descriptorDigest),
    node.weight,
    renderFlags(node.flags),
    node.family,
    `${node.onion.host}:${node.onion.port}`,
    node.keyConfigs.current,
    node.keyConfigs.next,
    toBase64(node.replyKey.bytes),
  ].join(' ');
}

/** @throws DirectoryError `malformed`. */
export function parseNode(line: string): ConsensusNode {
  const match = NODE_LINE.exec(line);
  if (match === null) throw new DirectoryError('malformed', 'not a node line');
  const [, nodeId, digest, weight, flags, family, host, port, current, next, replyKey] =
    match as unknown as NodeLineMatch;
  const keyConfigs = { current, next };
  checkKeyIds(keyConfigs);
  return {
    nodeId,
    descriptorDigest: bytesOf(digest),
    weight: parseNumber(weight, MAX_WEIGHT),
    flags: parseFlags(flags),
    family,
    onion: { host, port: parsePort(port) },
    keyConfigs,
    replyKey: deferPublicKey(() => bytesOf(replyKey)),
  };
}

/** The whole line and the ten groups of `NODE_LINE`, none of them optional. */
type NodeLineMatch = readonly [
  ...[line: string, nodeId: string, digest: string, weight: string, flags: string, family: string],
  ...[host: string, port: string, current: string, next: string, replyKey: string],
];

/** In their one order, with commas between. */
export function renderFlags(flags: ReadonlySet<NodeFlag>): string {
  return NODE_FLAGS.filter((flag) => flags.has(flag)).join(',');
}

/** @throws DirectoryError `malformed` unless `renderFlags` writes this of at least one flag. */
export function parseFlags(text: string): ReadonlySet<NodeFlag> {
  const flags = FLAG_SETS.get(text);
  if (flags === undefined) throw new DirectoryError('malformed', 'not a set of flags');
  return flags;
}
