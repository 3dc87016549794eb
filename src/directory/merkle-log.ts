import { createHash } from 'node:crypto';
import { equalBytes } from '../base/bytes.ts';

const HASH_BYTES = 32;
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** Hash of one entry (RFC 6962 section 2.1). */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(LEAF, entry);
}

/** Head of the log that has these leaves: 32 bytes (RFC 6962 section 2.1). */
export function logRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return only;
  const half = splitOf(leaves.length);
  return parent(logRoot(leaves.slice(0, half)), logRoot(leaves.slice(half)));
}

/**
 * Shows that the log of all `leaves` begins with the log of the first `size` (RFC 6962 section 2.1.2).
 * @throws RangeError when the log has not `size` leaves.
 */
export function consistencyProof(leaves: readonly Uint8Array[], size: number): Uint8Array[] {
  if (!Number.isInteger(size) || size < 0 || size > leaves.length) {
    throw new RangeError(`the log has not ${size} leaves`);
  }
  return size === 0 ? [] : subproof(leaves, size, true);
}

/**
 * Shows that a leaf is in the log (RFC 6962 section 2.1.1).
 * @throws RangeError when the log has no leaf of this index.
 */
export function inclusionProof(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
    throw new RangeError(`the log has no leaf ${index}`);
  }
  if (leaves.length === 1) return [];
  const half = splitOf(leaves.length);
  return index < half
    ? [...inclusionProof(leaves.slice(0, half), index), logRoot(leaves.slice(half))]
    : [...inclusionProof(leaves.slice(half), index - half), logRoot(leaves.slice(0, half))];
}

export interface Head {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** Whether the log of `to` begins with that of `from` (RFC 9162 section 2.1.4.2). */
export function isConsistent(from: Head, to: Head, proof: readonly Uint8Array[]): boolean {
  if (!isHead(from) || !isHead(to) || from.size > to.size || !proof.every(isHash)) return false;
  if (from.size === 0) return proof.length === 0 && equalBytes(from.root, logRoot([]));
  if (from.size === to.size) return proof.length === 0 && equalBytes(from.root, to.root);
  const path = isPowerOfTwo(from.size) ? [from.root, ...proof] : proof;
  let [inner, last] = [from.size - 1, to.size - 1];
  while (inner % 2 === 1) [inner, last] = [half(inner), half(last)];
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let [old, now] = [first, first];
  for (const hash of rest) {
    if (last === 0) return false;
    if (inner % 2 === 1 || inner === last) {
      old = parent(hash, old);
      now = parent(hash, now);
      while (inner % 2 === 0 && inner !== 0) [inner, last] = [half(inner), half(last)];
    } else {
      now = parent(now, hash);
    }
    [inner, last] = [half(inner), half(last)];
  }
  return last === 0 && equalBytes(old, from.root) && equalBytes(now, to.root);
}

/** Whether the log has this leaf at this index (RFC 9162 section 2.1.3.2). */
export function isIncluded(
  leaf: { readonly hash: Uint8Array; readonly index: number },
  log: Head,
  proof: readonly Uint8Array[],
): boolean {
  const { hash, index } = leaf;
  if (!isHead(log) || !isCount(index) || index >= log.size) return false;
  if (!isHash(hash) || !proof.every(isHash)) return false;
  let [inner, last, now] = [index, log.size - 1, hash];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (inner % 2 === 1 || inner === last) {
      now = parent(sibling, now);
      while (inner % 2 === 0 && inner !== 0) [inner, last] = [half(inner), half(last)];
    } else {
      now = parent(now, sibling);
    }
    [inner, last] = [half(inner), half(last)];
  }
  return last === 0 && equalBytes(now, log.root);
}

function subproof(leaves: readonly Uint8Array[], size: number, known: boolean): Uint8Array[] {
  if (size === leaves.length) return known ? [] : [logRoot(leaves)];
  const half = splitOf(leaves.length);
  return size <= half
    ? [...subproof(leaves.slice(0, half), size, known), logRoot(leaves.slice(half))]
    : [...subproof(leaves.slice(half), size - half, false), logRoot(leaves.slice(0, half))];
}

/** The largest power of two below `count`, which is at least 2. */
function splitOf(count: number): number {
  return 2 ** (31 - Math.clz32(count - 1));
}

function half(number: number): number {
  return Math.floor(number / 2);
}

function isPowerOfTwo(number: number): boolean {
  return Number.isInteger(Math.log2(number));
}

function isHead({ size, root }: Head): boolean {
  return isCount(size) && isHash(root);
}

function isCount(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number < 2 ** 31;
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === HASH_BYTES;
}

function parent(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE, left, right);
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
