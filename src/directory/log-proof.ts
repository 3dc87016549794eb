import { concatBytes, equalBytes } from '../base/bytes.ts';
import { type Consensus, type LogHead } from './consensus.ts';
import { DirectoryError } from './directory-error.ts';
import { isConsistent, isIncluded, leafHash, type MerkleTree } from './merkle-log.ts';

const HASH_BYTES = 32;
/** Of each of the two proofs, for a log of at most 2^31 entries. */
const MAX_HASHES = 32;

/** Bytes of a proof: a count, and the hashes of two proofs. */
const MAX_LOG_PROOF_BYTES = 1 + 2 * MAX_HASHES * HASH_BYTES;

/** What a consensus says of the log, and is in it: the next entry after `log` is its hash. */
export type Logged = Pick<Consensus, 'hash' | 'log'>;

/**
 * Shows that the log of the first `to` entries begins with the first `from`, and that the entry with
 * the index `from` comes next (spec/directory.md section 13). Undefined when there are not so many.
 */
export function renderLogProof(tree: MerkleTree, from: number, to: number): Uint8Array | undefined {
  if (from >= to || to > tree.size) return undefined;
  const consistency = tree.consistencyProof(from, to);
  const inclusion = tree.inclusionProof(from, to);
  return concatBytes(Uint8Array.of(consistency.length), ...consistency, ...inclusion);
}

/**
 * The heads between which a proof must lead; undefined where the earlier consensus names no log, or
 * is the same.
 * @throws DirectoryError `log-forked` where none could.
 */
export function logsToProve(
  earlier: Logged,
  later: Logged,
): readonly [LogHead, LogHead] | undefined {
  if (earlier.log === undefined || equalBytes(earlier.hash, later.hash)) return undefined;
  if (later.log?.origin !== earlier.log.origin) throw forked('it names another log, or none');
  if (later.log.size <= earlier.log.size) throw forked('the log has not grown');
  return [earlier.log, later.log];
}

/** @throws DirectoryError `log-forked` unless the later consensus's log has grown from the earlier one and its log. */
export function checkLogProof(earlier: Logged, later: Logged, proof: Uint8Array): void {
  const heads = logsToProve(earlier, later);
  if (heads === undefined) return;
  const [from, to] = heads;
  const hashes = hashesOf(proof.subarray(1));
  const [count] = proof;
  const leaf = { hash: leafHash(earlier.hash), index: from.size };
  const isProved =
    hashes !== undefined &&
    count !== undefined &&
    count <= hashes.length &&
    isConsistent(from, to, hashes.slice(0, count)) &&
    isIncluded(leaf, to, hashes.slice(count));
  if (!isProved) throw forked('no proof that it begins with the log known before');
}

function hashesOf(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  if (bytes.length % HASH_BYTES !== 0 || bytes.length >= MAX_LOG_PROOF_BYTES) return undefined;
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, index) =>
    bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
}

function forked(message: string): DirectoryError {
  return new DirectoryError('log-forked', message);
}
