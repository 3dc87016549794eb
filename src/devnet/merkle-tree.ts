import { fromHex, concatBytes, reverseBytes, toHex } from '../base/bytes.ts';
import { doubleSha256 } from '../bitcoin/double-sha256.ts';

/** Keeps every level, so that a server proves the thousandth transaction as cheaply as the first. */
export class MerkleTree {
  /** Hex in display order; the leaves first, the root last. */
  readonly #levels: readonly (readonly string[])[];

  constructor(leaves: readonly string[]) {
    const levels = [leaves];
    for (let level = leaves; level.length > 1;) {
      level = parents(level);
      levels.push(level);
    }
    this.#levels = levels;
  }

  get root(): string {
    const root = this.#levels.at(-1)?.[0];
    if (root === undefined) throw new RangeError('a merkle tree has at least one leaf');
    return root;
  }

  /** The hashes beside the way from a leaf to the root, deepest first. */
  branch(position: number): string[] {
    return this.#levels.slice(0, -1).map((level, depth) => {
      const index = position >> depth;
      const sibling = level[index ^ 1] ?? level[index];
      if (sibling === undefined) throw new RangeError(`there is no leaf ${position}`);
      return sibling;
    });
  }
}

function parents(level: readonly string[]): string[] {
  const above: string[] = [];
  for (let index = 0; index < level.length; index += 2) {
    const left = hashedOrder(level[index] ?? '');
    const right = hashedOrder(level[index + 1] ?? level[index] ?? '');
    above.push(toHex(reverseBytes(doubleSha256(concatBytes(left, right)))));
  }
  return above;
}

function hashedOrder(hash: string): Uint8Array {
  return reverseBytes(fromHex(hash));
}
