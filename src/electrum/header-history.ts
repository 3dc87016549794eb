import { BITS_OFFSET, HEADER_BYTES, TIME_OFFSET } from '../bitcoin/block-header.ts';

/** The fields by height, of headers that lie in two runs of bytes. */
export class HeaderHistory {
  readonly #before: DataView;
  readonly #branch: DataView;

  constructor(before: Uint8Array, branch: Uint8Array) {
    this.#before = new DataView(before.buffer, before.byteOffset, before.length);
    this.#branch = new DataView(branch.buffer, branch.byteOffset, branch.length);
  }

  timeAt(height: number): number {
    return this.#u32(height * HEADER_BYTES + TIME_OFFSET);
  }

  bitsAt(height: number): number {
    return this.#u32(height * HEADER_BYTES + BITS_OFFSET);
  }

  #u32(offset: number): number {
    const inBranch = offset - this.#before.byteLength;
    return inBranch < 0
      ? this.#before.getUint32(offset, true)
      : this.#branch.getUint32(inBranch, true);
  }
}
