import { createHmac } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { OutScript, p2wpkh, SigHash, Transaction } from '@scure/btc-signer';
import { hash160 } from '@scure/btc-signer/utils.js';
import { concatBytes, fromHex } from '../base/bytes.ts';
import { networkParams } from '../bitcoin/networks.ts';
import { scriptHashOf } from '../electrum/script-hash.ts';
import {
  chainTransaction,
  type ChainTransaction,
  type Outpoint,
  type TransactionFields,
} from './chain-transaction.ts';

/** A key and its P2WPKH address on regtest. */
export interface Purse {
  readonly address: string;
  readonly script: Uint8Array;
  readonly scriptHash: string;
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

export interface Coin extends Outpoint {
  /** Satoshis. */
  readonly value: bigint;
}

export interface Payment {
  readonly coins: readonly Coin[];
  readonly outputs: readonly PaymentOutput[];
}

export interface PaymentOutput {
  readonly script: Uint8Array;
  /** Satoshis. */
  readonly amount: bigint;
}

/** Satoshis for each virtual byte. */
export const FEE_RATE = 2n;
const DUST = 294n;
/** Signals replaceability (BIP 125). */
const SEQUENCE = 0xffff_fffd;

/** The same key for the same seed and name, in any process. For test money only. */
export function purseOf(seed: Uint8Array, name: string): Purse {
  const secretKey = createHmac('sha256', seed).update(name).digest();
  const publicKey = secp256k1.getPublicKey(secretKey, true);
  const { address, script } = p2wpkh(publicKey, networkParams('regtest').addresses);
  return { address, script, scriptHash: scriptHashOf(script), publicKey, secretKey };
}

/** What the coins lack to pay for the outputs and the fee, in satoshis; negative is what is over. */
export function shortfallOf({ coins, outputs }: Payment): bigint {
  const available = coins.reduce((total, { value }) => total + value, 0n);
  const paid = outputs.reduce((total, { amount }) => total + amount, 0n);
  const sizes = outputs.map(({ script }) => 9 + script.length);
  const vsize = 11 + 68 * coins.length + sizes.reduce((total, size) => total + size, 31);
  return paid + FEE_RATE * BigInt(vsize) - available;
}

/**
 * Spends whole coins of the purse; what is over returns to it in a last output.
 * @throws RangeError when the coins do not cover the outputs and the fee.
 */
export function signPayment(purse: Purse, payment: Payment): ChainTransaction {
  const { coins } = payment;
  const change = -shortfallOf(payment);
  if (change < 0n) throw new RangeError('the coins do not cover the payment');
  const outputs = [...payment.outputs];
  if (change >= DUST) outputs.push({ amount: change, script: purse.script });
  const fields: TransactionFields = {
    version: 2,
    segwitFlag: false,
    inputs: coins.map(({ txid, vout }) => ({
      txid: fromHex(txid),
      index: vout,
      finalScriptSig: new Uint8Array(),
      sequence: SEQUENCE,
    })),
    outputs,
    lockTime: 0,
  };
  const witnesses = signaturesOf(purse, coins, fields);
  return chainTransaction({ ...fields, segwitFlag: true, witnesses });
}

/**
 * The library's own `sign` derives the public key and checks every field again for each input: it
 * takes twice the time of the signature itself.
 */
function signaturesOf(
  purse: Purse,
  coins: readonly Coin[],
  fields: TransactionFields,
): Uint8Array[][] {
  const signable = new Transaction({ allowUnknownOutputs: true });
  for (const { txid, vout } of coins) signable.addInput({ txid, index: vout, sequence: SEQUENCE });
  for (const output of fields.outputs) signable.addOutput(output);
  const scriptCode = OutScript.encode({ type: 'pkh', hash: hash160(purse.publicKey) });
  return coins.map(({ value }, index) => {
    const digest = signable.preimageWitnessV0(index, scriptCode, SigHash.ALL, value);
    const signature = secp256k1.sign(digest, purse.secretKey, { prehash: false, format: 'der' });
    return [concatBytes(signature, Uint8Array.of(SigHash.ALL)), purse.publicKey];
  });
}
