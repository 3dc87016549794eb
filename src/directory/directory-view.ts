import { type Consensus } from './consensus.ts';

/** What DIRECTORY_GET can ask for (spec/directory.md section 7). */
export const DIRECTORY_KINDS = {
  /** The newest consensus note; the digest is zeros. */
  latestConsensus: 0,
  /** The consensus note whose text has this SHA-256. */
  consensus: 1,
  /** The descriptor note whose text has this SHA-256. */
  descriptor: 2,
} as const;

/** One of `DIRECTORY_KINDS`, or any other byte a peer may send. */
export type DirectoryKind = number;

/** The directory as a node or client holds it now. */
export interface DirectoryView {
  /** The newest consensus that is accepted and not yet out of date. */
  current(): Consensus | undefined;
  /** The signed note as bytes, or undefined when it is not held. `digest` is 32 bytes. */
  noteOf(kind: DirectoryKind, digest: Uint8Array): Uint8Array | undefined;
}
