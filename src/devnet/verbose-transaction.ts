import { OutScript, Script } from '@scure/btc-signer';
import { toHex } from '../base/bytes.ts';
import { addressOfScript } from '../bitcoin/address.ts';
import type { ChainBlock } from './chain-block.ts';
import { type ChainTransaction, isCoinbase } from './chain-transaction.ts';

/** Where a transaction was found: in a block so many blocks below the tip, or in the mempool. */
export interface Confirmation {
  readonly block: ChainBlock;
  readonly confirmations: number;
}

/** What bitcoind's `getrawtransaction TXID true` says, but for output descriptors. */
export function verboseTransaction(
  transaction: ChainTransaction,
  confirmation: Confirmation | undefined,
): Record<string, unknown> {
  const { fields, raw, weight, vsize } = transaction;
  return {
    txid: transaction.txid,
    hash: transaction.wtxid,
    version: fields.version,
    size: raw.length,
    vsize,
    weight,
    locktime: fields.lockTime,
    vin: transaction.inputs.map((_, index) => verboseInput(transaction, index)),
    vout: transaction.outputs.map(({ value, script }, n) => ({
      value: Number(value) / 100_000_000,
      n,
      scriptPubKey: verboseScript(script),
    })),
    hex: transaction.hex,
    ...(confirmation && {
      blockhash: confirmation.block.hash,
      confirmations: confirmation.confirmations,
      time: confirmation.block.time,
      blocktime: confirmation.block.time,
    }),
  };
}

function verboseInput(transaction: ChainTransaction, index: number): Record<string, unknown> {
  const { fields, inputs } = transaction;
  const { finalScriptSig = new Uint8Array(), sequence } = fields.inputs[index] ?? {};
  const witness = fields.witnesses?.[index] ?? [];
  const hex = toHex(finalScriptSig);
  return {
    ...(isCoinbase(transaction)
      ? { coinbase: hex }
      : { ...inputs[index], scriptSig: { asm: assemblyOf(finalScriptSig), hex } }),
    ...(witness.length > 0 && { txinwitness: witness.map(toHex) }),
    sequence,
  };
}

function verboseScript(script: Uint8Array): Record<string, unknown> {
  const address = addressOfScript(script, 'regtest');
  return {
    asm: assemblyOf(script),
    hex: toHex(script),
    ...(address !== undefined && { address }),
    type: typeOf(script),
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
