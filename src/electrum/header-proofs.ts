import { setImmediate } from 'node:timers/promises';
import { concatBytes, reverseBytes, toHex } from '../base/bytes.ts';
import { HEADER_BYTES } from '../bitcoin/block-header.ts';
import { doubleSha256 } from '../bitcoin/double-sha256.ts';

/** The raw headers of a chain from a height on, 80 bytes each. */
export type RawHeaders = (start: number, count: number) => Uint8Array;

export interface HeaderProof {
  /** Over the block hashes from the first to `cp_height`, hex in display order. */
  readonly root: string;
  /** Deepest first, hex in display order. */
  readonly branch: string[];
}

const CHUNK_LEVELS = 11;
const CHUNK = 2 ** CHUNK_LEVELS;

interface ChunkRoot {
  /** Hash of the chunk's last header, which settles all before it. */
  readonly last: Uint8Array;
  readonly root: Uint8Array;
}

/**
 * Proofs that a header is in the chain up to a later block (Electrum protocol, cp_height). The roots
 * of whole chunks of the tree are kept: the first proof on mainnet hashes all headers, piece by
 * piece, the next ones hash a few thousand.
 */
export class HeaderProofs {
  readonly #rawAt: RawHeaders;
  readonly #chunks: ChunkRoot[] = [];
  #proving: Promise<unknown> = Promise.resolve();

  constructor(rawAt: RawHeaders) {
    this.#rawAt = rawAt;
  }

  /**
   * One after the other, so that many at first do not all hash the whole chain.
   * @throws RangeError unless the checkpoint is in the chain and the height not above it.
   */
  proofOf(height: number, checkpoint: number): Promise<HeaderProof> {
    const proof = this.#proving.then(() => this.#prove(height, checkpoint));
    this.#proving = proof.catch(() => undefined);
    return proof;
  }

  async #prove(height: number, checkpoint: number): Promise<HeaderProof> {
    const leaves = checkpoint + 1;
    const end = this.#hashes(checkpoint, 1);
    const tops: Uint8Array[] = [];
    for (let start = 0; start < leaves; start += CHUNK) {
      tops.push(await this.#top(start, leaves));
    }
    const start = height - (height % CHUNK);
    const inside = treeOf(this.#hashes(start, Math.min(CHUNK, leaves - start)), depthOf(leaves));
    const above = treeOf(tops);
    // Blocks were replaced meanwhile.
    if (!sameHashes(end, this.#hashes(checkpoint, 1))) return this.#prove(height, checkpoint);
    const branch = [...branchOf(inside, height % CHUNK), ...branchOf(above, start / CHUNK)];
    const root = rootOf(above);
    return { root: display(root), branch: branch.map(display) };
  }

  /** The root of one chunk. */
  async #top(start: number, leaves: number): Promise<Uint8Array> {
    const count = Math.min(CHUNK, leaves - start);
    const [last] = this.#hashes(start + count - 1, 1);
    const held = this.#chunks[start / CHUNK];
    if (last === undefined) throw new RangeError(`there is no header at height ${leaves - 1}`);
    if (count === CHUNK && held !== undefined && sameHashes([held.last], [last])) return held.root;
    await setImmediate();
    const root = rootOf(treeOf(this.#hashes(start, count), depthOf(leaves)));
    if (count === CHUNK) this.#chunks[start / CHUNK] = { last, root };
    return root;
  }

  #hashes(start: number, count: number): Uint8Array[] {
    const raw = this.#rawAt(start, count);
    return Array.from({ length: raw.length / HEADER_BYTES }, (_, index) =>
      doubleSha256(raw.subarray(index * HEADER_BYTES, (index + 1) * HEADER_BYTES)),
    );
  }
}

/** How deep a chunk of the tree is: the last one of several is as deep as the others. */
function depthOf(leaves: number): number {
  return leaves > CHUNK ? CHUNK_LEVELS : 0;
}

/** The levels of a merkle tree that has so many at least, the leaves first, the root last. */
function treeOf(leaves: readonly Uint8Array[], depth = 0): (readonly Uint8Array[])[] {
  const levels = [leaves];
  for (let level = leaves; level.length > 1 || levels.length <= depth;) {
    level = parents(level);
    levels.push(level);
  }
  return levels;
}

function parents(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let index = 0; index < level.length; index += 2) {
    const pair = level.slice(index, index + 2);
    above.push(doubleSha256(concatBytes(...(pair.length === 2 ? pair : [...pair, ...pair]))));
  }
  return above;
}

function rootOf(levels: readonly (readonly Uint8Array[])[]): Uint8Array {
  const [root] = levels.at(-1) ?? [];
  if (root === undefined) throw new RangeError('a merkle tree has at least one leaf');
  return root;
}

function branchOf(levels: readonly (readonly Uint8Array[])[], position: number): Uint8Array[] {
  return levels.slice(0, -1).map((level, depth) => {
    const index = position >> depth;
    const sibling = level[index ^ 1] ?? level[index];
    if (sibling === undefined) throw new RangeError(`there is no leaf ${position}`);
    return sibling;
  });
}

function sameHashes(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return some.map(toHex).join() === others.map(toHex).join();
}

function display(hash: Uint8Array): string {
  return toHex(reverseBytes(hash));
}
