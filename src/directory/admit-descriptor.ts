import { equalBytes } from '../base/bytes.ts';
import { type ConsensusNode } from './consensus-node.ts';
import { type Descriptor, keyConfigsOf } from './descriptor.ts';
import { DirectoryError } from './directory-error.ts';
import { swapsKey } from './key-configs.ts';
import { type NodeId } from './node-id.ts';

/** What an authority knows when a descriptor comes. */
export interface Admission {
  /** Hash of block 0 of the network: 64 hexadecimal characters. */
  readonly genesis: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** The one held of this node, that of a node which left too. */
  readonly held: Descriptor | undefined;
  /** How the newest consensus lists the node. */
  readonly listed: Pick<ConsensusNode, 'keyConfigs'> | undefined;
  /** Who is held at an onion, those who left too. */
  readonly nodeAt: (onionHost: string) => NodeId | undefined;
  /** There is no place for one more. */
  readonly isFull: boolean;
}

/** Clocks of nodes and authorities may differ by so much. */
export const SKEW_SECONDS = 600;
const KEY_EPOCH_SECONDS = 86_400;
const LEAVING_SECONDS = 1;

/**
 * Whether an authority takes a descriptor that is well-formed and well signed, given what it has (spec/directory.md
 * section 16). The same one once more is taken.
 * @throws DirectoryError `wrong-network`, `not-yet-valid`, `expired`, `unknown-node`, `replayed`,
 * `wrong-key-epoch`, `swapped-key`, `onion-taken`, `full`.
 */
export function admitDescriptor(descriptor: Descriptor, admission: Admission): void {
  const { genesis, held } = admission;
  if (descriptor.electrum.genesis !== genesis) {
    throw new DirectoryError('wrong-network', 'it serves another chain');
  }
  if (held !== undefined && equalBytes(held.digest, descriptor.digest)) return;
  checkTimes(descriptor, admission);
  if (held !== undefined && descriptor.published <= held.published) {
    throw new DirectoryError('replayed', 'a newer one is held');
  }
  if (isLeaving(descriptor)) return;
  checkKeys(descriptor, admission);
  checkPlace(descriptor, admission);
}

/**
 * Whether the nodes that it names as its family name it too. It is taken if not, but of no family: each can
 * name others before they do, and nobody can make others its family.
 * @throws DirectoryError `one-sided-family`.
 */
export function checkFamily(
  { nodeId, family }: Descriptor,
  newest: (nodeId: NodeId) => Pick<Descriptor, 'family'> | undefined,
): void {
  const silent = family.filter((other) => newest(other)?.family.includes(nodeId) !== true);
  if (silent.length > 0) {
    const claim = `${silent.length} of ${family.length} that it names do not name it`;
    throw new DirectoryError('one-sided-family', claim);
  }
}

/** A node leaves with a descriptor that has expired one second after it was published. */
export function isLeaving({ published, expires }: Descriptor): boolean {
  return expires === published + LEAVING_SECONDS;
}

function checkTimes(descriptor: Descriptor, { now, held }: Admission): void {
  const seconds = now / 1000;
  if (descriptor.published > seconds + SKEW_SECONDS) {
    throw new DirectoryError('not-yet-valid', 'it was published later than it is now');
  }
  if (!isLeaving(descriptor)) {
    if (descriptor.expires <= seconds) throw new DirectoryError('expired', 'it has expired');
  } else if (held === undefined) {
    throw new DirectoryError('unknown-node', 'a node that is not here cannot leave');
  }
}

function checkKeys(descriptor: Descriptor, { now, held, listed }: Admission): void {
  const isAnnounced = [now - SKEW_SECONDS * 1000, now + SKEW_SECONDS * 1000].some((atMs) =>
    descriptor.keyConfigs.some(
      ({ epoch }) => epoch === Math.floor(atMs / 1000 / KEY_EPOCH_SECONDS),
    ),
  );
  if (!isAnnounced) throw new DirectoryError('wrong-key-epoch', 'no key for the key epoch of now');
  const keys = keyConfigsOf(descriptor);
  const before = [held && keyConfigsOf(held), listed?.keyConfigs];
  if (before.some((earlier) => earlier && swapsKey(keys, earlier))) {
    throw new DirectoryError('swapped-key', 'another key for a key id that was announced');
  }
}

function checkPlace({ nodeId, onion }: Descriptor, { held, isFull, nodeAt }: Admission): void {
  const other = nodeAt(onion.host);
  if (other !== undefined && other !== nodeId) {
    throw new DirectoryError('onion-taken', 'another node is at this onion');
  }
  if (held === undefined && isFull) {
    throw new DirectoryError('full', 'no more nodes are taken');
  }
}
