const NEWLINE = 0x0a;

/** Makes whole lines of pieces that end anywhere. A line that is too long is cut into several. */
export class WholeLines {
  readonly #maxLineBytes: number;
  #rest = Buffer.alloc(0);

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that are complete now, each with its end; may be empty. */
  push(bytes: Uint8Array): Uint8Array {
    const all = Buffer.concat([this.#rest, bytes]);
    const end = all.lastIndexOf(NEWLINE) + 1;
    const open = all.subarray(end);
    if (open.length <= this.#maxLineBytes) {
      // A copy, so that a short rest does not keep a long piece in memory.
      this.#rest = Buffer.from(open);
      return all.subarray(0, end);
    }
    this.#rest = Buffer.alloc(0);
    return Buffer.concat([all, Buffer.of(NEWLINE)]);
  }

  /** The last line, when its end never came. */
  end(): Uint8Array {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length === 0 ? rest : Buffer.concat([rest, Buffer.of(NEWLINE)]);
  }
}
