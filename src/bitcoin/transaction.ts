import { concatBytes, MalformedBytesError, reverseBytes, toHex } from '../base/bytes.ts';
import { doubleSha256 } from './double-sha256.ts';

export interface Transaction {
  /** Hex in display order. */
  readonly txid: string;
  readonly version: number;
  readonly inputs: readonly TransactionInput[];
  readonly outputs: readonly TransactionOutput[];
  readonly lockTime: number;
  /** Bytes that the txid is the hash of: those without witnesses. */
  readonly strippedSize: number;
  /** Virtual size (BIP 141): a quarter of three times the stripped size plus the whole size, rounded up. */
  readonly vsize: number;
}

export interface TransactionInput {
  /** The transaction whose output is spent, hex in display order; zeros in a coinbase. */
  readonly txid: string;
  readonly vout: number;
  readonly script: Uint8Array;
  readonly sequence: number;
  /** Absent when the input has none. */
  readonly witness?: readonly Uint8Array[];
}

export interface TransactionOutput {
  /** Satoshis. */
  readonly value: bigint;
  readonly script: Uint8Array;
}

/** What a transaction may take on the wire: no block can hold more. */
const MAX_TRANSACTION_BYTES = 4_000_000;
/** The fewest bytes an input and an output take: bounds their counts by the size of the whole. */
const MIN_INPUT_BYTES = 41;
const MIN_OUTPUT_BYTES = 9;
const MAX_MONEY = 2_100_000_000_000_000n;
const NO_TRANSACTION = '00'.repeat(32);

/**
 * Reads a transaction with or without witnesses (BIP 144). Scripts are views of `raw`, not copies.
 * @throws MalformedBytesError unless it is exactly one transaction in its one encoding.
 */
export function parseTransaction(raw: Uint8Array): Transaction {
  if (raw.length > MAX_TRANSACTION_BYTES) throw new MalformedBytesError('transaction too large');
  const reader = new TransactionReader(raw);
  const version = reader.u32();
  const segwit = raw[4] === 0 && raw[5] === 1;
  if (segwit) reader.skip(2);
  const bodyStart = reader.offset;
  const inputs = reader.list(MIN_INPUT_BYTES, readInput);
  if (inputs.length === 0) throw new MalformedBytesError('a transaction without inputs');
  const outputs = reader.list(MIN_OUTPUT_BYTES, readOutput);
  if (outputs.length === 0) throw new MalformedBytesError('a transaction without outputs');
  const bodyEnd = reader.offset;
  const witnesses = segwit ? inputs.map(() => reader.list(1, readScript)) : [];
  if (segwit && witnesses.every((witness) => witness.length === 0)) {
    throw new MalformedBytesError('marked as segwit without a witness');
  }
  const lockTime = reader.u32();
  reader.end();
  const stripped = segwit
    ? concatBytes(raw.subarray(0, 4), raw.subarray(bodyStart, bodyEnd), raw.subarray(-4))
    : raw;
  return {
    txid: toHex(reverseBytes(doubleSha256(stripped))),
    version,
    inputs: inputs.map((input, index) => {
      const witness = witnesses[index];
      return witness === undefined || witness.length === 0 ? input : { ...input, witness };
    }),
    outputs,
    lockTime,
    strippedSize: stripped.length,
    vsize: Math.ceil((3 * stripped.length + raw.length) / 4),
  };
}

/**
 * The bytes that the txid is the hash of.
 * @throws MalformedBytesError unless it is exactly one transaction in its one encoding.
 */
export function withoutWitnesses(raw: Uint8Array): Uint8Array {
  const { strippedSize } = parseTransaction(raw);
  if (strippedSize === raw.length) return raw;
  // The marker and the flag of BIP 144 follow the version; the lock time is last.
  const body = raw.subarray(6, strippedSize - 2);
  return concatBytes(raw.subarray(0, 4), body, raw.subarray(-4));
}

/** Whether it makes new coins: its input spends no transaction. */
export function isCoinbase({ inputs }: Pick<Transaction, 'inputs'>): boolean {
  return inputs[0]?.txid === NO_TRANSACTION;
}

/** @throws MalformedBytesError unless it is exactly one transaction in its one encoding. */
export function txidOf(raw: Uint8Array): string {
  return parseTransaction(raw).txid;
}

function readInput(reader: TransactionReader): TransactionInput {
  const txid = toHex(reverseBytes(reader.bytes(32)));
  const vout = reader.u32();
  const script = readScript(reader);
  return { txid, vout, script, sequence: reader.u32() };
}

function readOutput(reader: TransactionReader): TransactionOutput {
  const value = reader.u64();
  if (value > MAX_MONEY) throw new MalformedBytesError('an output of more than all bitcoins');
  return { value, script: readScript(reader) };
}

function readScript(reader: TransactionReader): Uint8Array {
  return reader.bytes(reader.compactSize());
}

/** Reads little-endian integers and byte runs; every read past the end throws. */
class TransactionReader {
  readonly #raw: Uint8Array;
  readonly #view: DataView;
  offset = 0;

  constructor(raw: Uint8Array) {
    this.#raw = raw;
    this.#view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.skip(8), true);
  }

  bytes(length: number): Uint8Array {
    const start = this.skip(length);
    return this.#raw.subarray(start, start + length);
  }

  /** A count or a length in its shortest form, less than 2^32. */
  compactSize(): number {
    const first = this.#view.getUint8(this.skip(1));
    if (first < 0xfd) return first;
    if (first === 0xff) throw new MalformedBytesError('a length past the end');
    const long = first === 0xfe;
    const value = long ? this.u32() : this.#view.getUint16(this.skip(2), true);
    if (value < (long ? 0x1_0000 : 0xfd))
      throw new MalformedBytesError('a length not in short form');
    return value;
  }

  list<T>(minBytes: number, read: (reader: TransactionReader) => T): T[] {
    const count = this.compactSize();
    if (count * minBytes > this.#raw.length - this.offset) {
      throw new MalformedBytesError('bytes end too early');
    }
    return Array.from({ length: count }, () => read(this));
  }

  /** Moves on and returns where it was. */
  skip(length: number): number {
    const start = this.offset;
    if (length > this.#raw.length - start) throw new MalformedBytesError('bytes end too early');
    this.offset += length;
    return start;
  }

  end(): void {
    if (this.offset !== this.#raw.length) throw new MalformedBytesError('bytes left over');
  }
}
