import { equalBytes, MalformedBytesError } from './bytes.ts';

/** Reads big-endian integers and byte runs in order; every read past the end throws. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  /** A view of the next bytes, not a copy. */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** @throws MalformedBytesError when bytes are left over. */
  end(): void {
    if (this.remaining !== 0) throw new MalformedBytesError('bytes left over');
  }

  /** @throws MalformedBytesError when a byte that is left is not zero. */
  zeros(): void {
    // Byte by byte it takes twenty times as long, which tells in a cell full of padding.
    const rest = this.rest();
    if (!equalBytes(rest, new Uint8Array(rest.length))) {
      throw new MalformedBytesError('padding not zero');
    }
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (length < 0 || length > this.remaining) throw new MalformedBytesError('bytes end too early');
    this.#offset += length;
    return start;
  }
}
