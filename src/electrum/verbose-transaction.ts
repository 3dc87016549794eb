import { OutScript, Script } from '@scure/btc-signer';
import { reverseBytes, toHex } from '../base/bytes.ts';
import { addressOfScript } from '../bitcoin/address.ts';
import { type BlockHeader } from '../bitcoin/block-header.ts';
import { doubleSha256 } from '../bitcoin/double-sha256.ts';
import { type Network } from '../bitcoin/networks.ts';
import {
  parseTransaction,
  type TransactionInput,
  type TransactionOutput,
} from '../bitcoin/transaction.ts';

/** Where a transaction was found: in a block so many blocks below the tip, or in the mempool. */
export interface Confirmation {
  readonly block: Pick<BlockHeader, 'hash' | 'time'>;
  readonly confirmations: number;
}

export interface VerboseOptions {
  /** Of the addresses. */
  readonly network: Network;
  /** Undefined in the mempool. */
  readonly confirmation: Confirmation | undefined;
}

const NO_TRANSACTION = '00'.repeat(32);

/**
 * What bitcoind's `getrawtransaction TXID true` says, but for output descriptors.
 * @throws MalformedBytesError unless the bytes are exactly one transaction.
 */
export function verboseTransaction(
  raw: Uint8Array,
  { network, confirmation }: VerboseOptions,
): Record<string, unknown> {
  const transaction = parseTransaction(raw);
  return {
    txid: transaction.txid,
    hash: toHex(reverseBytes(doubleSha256(raw))),
    version: transaction.version,
    size: raw.length,
    vsize: transaction.vsize,
    weight: 3 * transaction.strippedSize + raw.length,
    locktime: transaction.lockTime,
    vin: transaction.inputs.map(verboseInput),
    vout: transaction.outputs.map((output, n) => verboseOutput(output, { n, network })),
    hex: toHex(raw),
    ...(confirmation && {
      blockhash: confirmation.block.hash,
      confirmations: confirmation.confirmations,
      time: confirmation.block.time,
      blocktime: confirmation.block.time,
    }),
  };
}

function verboseInput(input: TransactionInput): Record<string, unknown> {
  const { txid, vout, script, sequence, witness } = input;
  const hex = toHex(script);
  return {
    ...(txid === NO_TRANSACTION
      ? { coinbase: hex }
      : { txid, vout, scriptSig: { asm: assemblyOf(script), hex } }),
    ...(witness !== undefined && { txinwitness: witness.map(toHex) }),
    sequence,
  };
}

function verboseOutput(
  { value, script }: TransactionOutput,
  { n, network }: { readonly n: number; readonly network: Network },
): Record<string, unknown> {
  const address = addressOfScript(script, network);
  return {
    value: Number(value) / 100_000_000,
    n,
    scriptPubKey: {
      asm: assemblyOf(script),
      hex: toHex(script),
      ...(address !== undefined && { address }),
      type: typeOf(script),
    },
  };
}

const TYPES: Readonly<Record<string, string>> = {
  pk: 'pubkey',
  pkh: 'pubkeyhash',
  sh: 'scripthash',
  wpkh: 'witness_v0_keyhash',
  wsh: 'witness_v0_scripthash',
  tr: 'witness_v1_taproot',
  p2a: 'anchor',
  ms: 'multisig',
};

function typeOf(script: Uint8Array): string {
  if (script[0] === 0x6a) return 'nulldata';
  try {
    return TYPES[OutScript.decode(script).type] ?? 'nonstandard';
  } catch {
    return 'nonstandard';
  }
}

function assemblyOf(script: Uint8Array): string {
  try {
    return Script.decode(script)
      .map((part) => {
        if (typeof part === 'string') return part.startsWith('OP_') ? part : `OP_${part}`;
        return typeof part === 'number' ? String(part) : toHex(part);
      })
      .join(' ');
  } catch {
    return '[error]';
  }
}
