import { fromHex, toHex } from '../base/bytes.ts';
import { type Consensus } from './consensus.ts';
import { type NodeId } from './node-id.ts';

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
  /** The checkpoint of the size in a `sizeDigest`, with who cosigned it; the newest one for zeros. */
  checkpoint: 6,
  /** That the log with the entry at the first index of a `rangeDigest` begins that of the second size. */
  logProof: 7,
  /** For zeros the index of the evidence held; else one of its notes, by the SHA-256 of the text. */
  evidence: 8,
  /** The file of the bond of the node in a `nodeDigest`. */
  bond: 9,
  /** What changed since the consensus whose text has this SHA-256. */
  change: 10,
  /** Entries of the log, 32 bytes each: those of `rangeDigest`, or fewer. */
  logEntries: 11,
  /** The policy file whose fingerprint this is. */
  policy: 12,
} as const;

/** One of `DIRECTORY_KINDS`, or any other byte a peer may send. */
export type DirectoryKind = number;

/** 32 bytes that stand for an epoch where a question has a digest: zeros, and the epoch as u64. */
export function epochDigest(epoch: number): Uint8Array {
  return numberDigest(epoch);
}

/** 32 bytes that stand for a number of entries of the log. */
export function sizeDigest(size: number): Uint8Array {
  return numberDigest(size);
}

function numberDigest(number: number): Uint8Array {
  const digest = new Uint8Array(32);
  new DataView(digest.buffer).setBigUint64(24, BigInt(number));
  return digest;
}

/** 32 bytes that stand for entries of the log, from one index to before another. */
export function rangeDigest(from: number, to: number): Uint8Array {
  const digest = sizeDigest(to);
  new DataView(digest.buffer).setBigUint64(16, BigInt(from));
  return digest;
}

/** The indices of a `rangeDigest`; undefined for what is none. */
export function rangeOf(digest: Uint8Array): { from: number; to: number } | undefined {
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  const [from, to] = [Number(view.getBigUint64(16)), Number(view.getBigUint64(24))];
  const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from <= to;
  return isRange ? { from, to } : undefined;
}

/** 32 bytes that stand for a node: zeros, and its id. */
export function nodeDigest(nodeId: NodeId): Uint8Array {
  return fromHex(nodeId.padStart(64, '0'));
}

/** The node of a `nodeDigest`. */
export function nodeOf(digest: Uint8Array): NodeId {
  return toHex(digest.subarray(16));
}

/** The directory as a node or client holds it now. */
export interface DirectoryView {
  /** The newest consensus that is accepted and not yet out of date. */
  current(): Consensus | undefined;
  /** The signed note as bytes, or undefined when it is not held. `digest` is 32 bytes. */
  noteOf(kind: DirectoryKind, digest: Uint8Array): Uint8Array | undefined;
}
