import { type Consensus } from './consensus.ts';

/** What DIRECTORY_GET can ask for (spec/directory.md section 7). */
export const DIRECTORY_KINDS = {
  /** The newest consensus note; the digest is zeros. */
  latestConsensus: 0,
  /** The consensus note whose text has this SHA-256. */
  consensus: 1,
  /** The descriptor note whose text has this SHA-256. */
  descriptor: 2,
  /** The index of the votes that an authority holds for the slot of `epochDigest`. */
  voteIndex: 3,
  /** The vote note whose text has this SHA-256. */
  vote: 4,
  /** The authority's own detached signature for the slot of `epochDigest`. */
  signature: 5,
} as const;

/** One of `DIRECTORY_KINDS`, or any other byte a peer may send. */
export type DirectoryKind = number;

/** 32 bytes that stand for an epoch where a question has a digest: zeros, and the epoch as u64. */
export function epochDigest(epoch: number): Uint8Array {
  const digest = new Uint8Array(32);
  new DataView(digest.buffer).setBigUint64(24, BigInt(epoch));
  return digest;
}

/** The directory as a node or client holds it now. */
export interface DirectoryView {
  /** The newest consensus that is accepted and not yet out of date. */
  current(): Consensus | undefined;
  /** The signed note as bytes, or undefined when it is not held. `digest` is 32 bytes. */
  noteOf(kind: DirectoryKind, digest: Uint8Array): Uint8Array | undefined;
}
