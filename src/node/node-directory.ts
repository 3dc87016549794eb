import { toHex } from '../base/bytes.ts';
import type { Consensus } from '../directory/consensus.ts';
import { DIRECTORY_KINDS, type DirectoryView } from '../directory/directory-view.ts';
import type { NodeLog } from './node-log.ts';

/** What a node knows of its network and serves to others. */
export interface NodeDirectory extends DirectoryView, AsyncDisposable {
  /** Those that clients may go by now: the current one, and the one held before it. */
  consensuses(): readonly Consensus[];
  /** Serves this node's own descriptor beside the consensuses. */
  addDescriptor(digest: Uint8Array, note: Uint8Array): void;
  /** What it knows of the log of its network; undefined while it is of none. */
  readonly nodeLog?: NodeLog;
}

/** The directory of a node that is of no network yet: there is only its own descriptor in it. */
export function directoryOfOne(): NodeDirectory {
  const descriptors = new Map<string, Uint8Array>();
  return {
    current: () => undefined,
    consensuses: () => [],
    noteOf: (kind, digest) =>
      kind === DIRECTORY_KINDS.descriptor ? descriptors.get(toHex(digest)) : undefined,
    addDescriptor: (digest, note) => {
      descriptors.set(toHex(digest), note);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
