import { RawTx } from '@scure/btc-signer';
import { MalformedBytesError, reverseBytes, toHex } from '../base/bytes.ts';
import { doubleSha256 } from '../bitcoin/double-sha256.ts';
import { scriptHashOf } from '../electrum/script-hash.ts';

/** What goes on the wire (BIP 144). Here a txid is bytes in display order. */
export interface TransactionFields {
  readonly version: number;
  readonly segwitFlag: boolean;
  readonly inputs: readonly {
    readonly txid: Uint8Array;
    readonly index: number;
    readonly finalScriptSig: Uint8Array;
    readonly sequence: number;
  }[];
  readonly outputs: readonly { readonly amount: bigint; readonly script: Uint8Array }[];
  /** A stack for each input; absent without the flag. */
  readonly witnesses?: readonly (readonly Uint8Array[])[] | undefined;
  readonly lockTime: number;
}

/** A transaction with everything the chain and its server ask of it again and again. */
export interface ChainTransaction {
  /** Hex in display order. */
  readonly txid: string;
  readonly wtxid: string;
  readonly raw: Uint8Array;
  readonly hex: string;
  /** Units of BIP 141. */
  readonly weight: number;
  readonly vsize: number;
  readonly fields: TransactionFields;
  readonly inputs: readonly Outpoint[];
  readonly outputs: readonly ChainOutput[];
}

export interface Outpoint {
  readonly txid: string;
  readonly vout: number;
}

export interface ChainOutput {
  /** Satoshis. */
  readonly value: bigint;
  readonly script: Uint8Array;
  readonly scriptHash: string;
}

/** @throws MalformedBytesError unless the bytes are exactly one transaction. */
export function readTransaction(raw: Uint8Array): ChainTransaction {
  try {
    return chainTransaction(RawTx.decode(raw) as TransactionFields);
  } catch (cause) {
    throw new MalformedBytesError('not a transaction', { cause });
  }
}

export function chainTransaction(fields: TransactionFields): ChainTransaction {
  const raw = encode(fields);
  const stripped = encode({ ...fields, segwitFlag: false, witnesses: undefined });
  const weight = 3 * stripped.length + raw.length;
  return {
    txid: displayHash(stripped),
    wtxid: displayHash(raw),
    raw,
    hex: toHex(raw),
    weight,
    vsize: Math.ceil(weight / 4),
    fields,
    inputs: fields.inputs.map(({ txid, index }) => ({ txid: toHex(txid), vout: index })),
    outputs: fields.outputs.map(({ amount, script }) => ({
      value: amount,
      script,
      scriptHash: scriptHashOf(script),
    })),
  };
}

export function isCoinbase(transaction: ChainTransaction): boolean {
  return transaction.inputs[0]?.txid === '00'.repeat(32);
}

function displayHash(bytes: Uint8Array): string {
  return toHex(reverseBytes(doubleSha256(bytes)));
}

function encode(fields: TransactionFields): Uint8Array {
  return RawTx.encode(fields as Parameters<typeof RawTx.encode>[0]);
}
