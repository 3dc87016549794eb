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

/** Leaves of a log, from one index to before another. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** A log that changes at its end only. Each of its hashes is made once, for however many proofs. */
export class MerkleTree {
  /** At `[level][index]` the hash of the 2^level leaves from index * 2^level on, where all are there. */
  readonly #levels: Uint8Array[][] = [[]];

  constructor(leaves: readonly Uint8Array[] = []) {
    this.replaceFrom(0, leaves);
  }

  get size(): number {
    return this.#levels[0]?.length ?? 0;
  }

  /** Puts leaves at an index, at most the size, in the place of all that were there and after. */
  replaceFrom(index: number, leaves: readonly Uint8Array[]): void {
    let added = leaves;
    for (let [level, start] = [0, index]; ; [level, start] = [level + 1, half(start)]) {
      const hashes = (this.#levels[level] ??= []);
      hashes.splice(start, Infinity, ...added);
      if (hashes.length < 2) {
        this.#levels.length = level + 1;
        return;
      }
      added = pairsFrom(hashes, half(start));
    }
  }

  /**
   * Shows that the log of the first `to` leaves begins with that of the first `from` (RFC 6962 section 2.1.2).
   * @throws RangeError when there are not so many.
   */
  consistencyProof(from: number, to: number): Uint8Array[] {
    if (!isCount(from) || !isCount(to) || from > to || to > this.size) {
      throw new RangeError(`no log of ${from} leaves in one of ${to} here`);
    }
    return from === 0 ? [] : this.#subproof({ start: 0, end: to }, from, true);
  }

  /**
   * Shows that a leaf is among the first `to` (RFC 6962 section 2.1.1).
   * @throws RangeError when it is not.
   */
  inclusionProof(index: number, to: number): Uint8Array[] {
    if (!isCount(index) || !isCount(to) || index >= to || to > this.size) {
      throw new RangeError(`no leaf ${index} in a log of ${to} here`);
    }
    return this.#path({ start: 0, end: to }, index);
  }

  #path({ start, end }: Range, index: number): Uint8Array[] {
    if (end - start === 1) return [];
    const middle = start + splitOf(end - start);
    const [left, right] = [
      { start, end: middle },
      { start: middle, end },
    ];
    return index < middle
      ? [...this.#path(left, index), this.#root(right)]
      : [...this.#path(right, index), this.#root(left)];
  }

  #subproof({ start, end }: Range, from: number, known: boolean): Uint8Array[] {
    if (from === end) return known ? [] : [this.#root({ start, end })];
    const middle = start + splitOf(end - start);
    const [left, right] = [
      { start, end: middle },
      { start: middle, end },
    ];
    return from <= middle
      ? [...this.#subproof(left, from, known), this.#root(right)]
      : [...this.#subproof(right, from, false), this.#root(left)];
  }

  #root({ start, end }: Range): Uint8Array {
    const count = end - start;
    const level = Math.log2(count);
    const made = Number.isInteger(level) ? this.#levels[level]?.[start / count] : undefined;
    if (made !== undefined) return made;
    const middle = start + splitOf(count);
    return parent(this.#root({ start, end: middle }), this.#root({ start: middle, end }));
  }
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

/** The hashes of the pairs of a level, from that with this index on; one without a pair has none. */
function pairsFrom(hashes: readonly Uint8Array[], index: number): Uint8Array[] {
  return Array.from({ length: half(hashes.length) - index }, (_, offset) => {
    const first = 2 * (index + offset);
    const [left, right] = hashes.slice(first, first + 2);
    if (left === undefined || right === undefined) throw new Error('half a pair');
    return parent(left, right);
  });
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
