import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { OutScript, Script, ScriptNum, SigHash, Transaction } from '@scure/btc-signer';
import { hash160, sha256 } from '@scure/btc-signer/utils.js';
import { equalBytes } from '../base/bytes.ts';
import type { ChainOutput, ChainTransaction } from './chain-transaction.ts';

const LOCK_TIME_IS_TIME = 500_000_000n;
const LOCK_TIME_BYTES = 5;
const FINAL_SEQUENCE = 0xffff_ffff;

/**
 * Whether each input is signed by the key that its output asks for: P2WPKH, the same within P2SH,
 * P2TR by its key, and P2WSH of a key and a lock time, as the script of a bond. Inputs of any other
 * kind are refused, because nothing here runs scripts.
 */
export function inputsAreSigned(
  transaction: ChainTransaction,
  spent: readonly ChainOutput[],
): boolean {
  const signable = Transaction.fromRaw(transaction.raw, {
    allowUnknownInputs: true,
    allowUnknownOutputs: true,
    disableScriptCheck: true,
  });
  return spent.every((_, index) => {
    try {
      return inputIsSigned({ transaction, signable, spent, index });
    } catch {
      // The signature or the key is not even well formed.
      return false;
    }
  });
}

interface SignedInput {
  readonly transaction: ChainTransaction;
  readonly signable: Transaction;
  readonly spent: readonly ChainOutput[];
  readonly index: number;
}

function inputIsSigned(input: SignedInput): boolean {
  const { transaction, spent, index } = input;
  const script = spent[index]?.script;
  if (script === undefined) return false;
  const { finalScriptSig } = transaction.fields.inputs[index] ?? {};
  const nested = finalScriptSig?.subarray(1);
  const kind = OutScript.decode(script);
  if (kind.type === 'tr') return taprootIsSigned(input, kind.pubkey);
  if (kind.type === 'wpkh')
    return finalScriptSig?.length === 0 && keyHashIsSigned(input, kind.hash);
  if (kind.type === 'wsh') {
    return finalScriptSig?.length === 0 && lockedKeyIsSigned(input, kind.hash);
  }
  if (kind.type !== 'sh' || nested === undefined || !equalBytes(hash160(nested), kind.hash)) {
    return false;
  }
  const redeem = OutScript.decode(nested);
  return redeem.type === 'wpkh' && keyHashIsSigned(input, redeem.hash);
}

/** BIP 143. */
function keyHashIsSigned(
  { transaction, signable, spent, index }: SignedInput,
  hash: Uint8Array,
): boolean {
  const [signature, publicKey, ...more] = transaction.fields.witnesses?.[index] ?? [];
  const value = spent[index]?.value;
  if (signature === undefined || publicKey === undefined || value === undefined) return false;
  if (more.length > 0 || publicKey.length !== 33 || !equalBytes(hash160(publicKey), hash)) {
    return false;
  }
  const scriptCode = OutScript.encode({ type: 'pkh', hash });
  const digest = signable.preimageWitnessV0(index, scriptCode, signature.at(-1) ?? 0, value);
  return isSignedBy(publicKey, { signature, digest });
}

/** `<key> OP_CHECKSIGVERIFY <lock time> OP_CHECKLOCKTIMEVERIFY`, by BIPs 143 and 65. */
function lockedKeyIsSigned(
  { transaction, signable, spent, index }: SignedInput,
  hash: Uint8Array,
): boolean {
  const [signature, script, ...more] = transaction.fields.witnesses?.[index] ?? [];
  const value = spent[index]?.value;
  if (signature === undefined || script === undefined || value === undefined) return false;
  if (more.length > 0 || !equalBytes(sha256(script), hash)) return false;
  const [publicKey, checksig, time, checklock, ...rest] = Script.decode(script);
  if (!(publicKey instanceof Uint8Array && time instanceof Uint8Array)) return false;
  if (rest.length > 0) return false;
  if (checksig !== 'CHECKSIGVERIFY' || checklock !== 'CHECKLOCKTIMEVERIFY') return false;
  if (!isUnlocked(transaction, index, ScriptNum(LOCK_TIME_BYTES, true).decode(time))) return false;
  const digest = signable.preimageWitnessV0(index, script, signature.at(-1) ?? 0, value);
  return isSignedBy(publicKey, { signature, digest });
}

/** BIP 65. Whether the time has come is looked at with the whole transaction. */
function isUnlocked({ fields }: ChainTransaction, index: number, asked: bigint): boolean {
  const { lockTime, inputs } = fields;
  const isTime = asked >= LOCK_TIME_IS_TIME;
  return (
    asked >= 0n &&
    isTime === BigInt(lockTime) >= LOCK_TIME_IS_TIME &&
    asked <= BigInt(lockTime) &&
    inputs[index]?.sequence !== FINAL_SEQUENCE
  );
}

function isSignedBy(
  publicKey: Uint8Array,
  { signature, digest }: { readonly signature: Uint8Array; readonly digest: Uint8Array },
): boolean {
  return secp256k1.verify(signature.subarray(0, -1), digest, publicKey, {
    prehash: false,
    format: 'der',
  });
}

/** BIP 341, the key path without an annex. */
function taprootIsSigned(
  { transaction, signable, spent, index }: SignedInput,
  key: Uint8Array,
): boolean {
  const [signature, ...more] = transaction.fields.witnesses?.[index] ?? [];
  if (signature === undefined || more.length > 0 || ![64, 65].includes(signature.length))
    return false;
  const sighash = signature[64] ?? SigHash.DEFAULT;
  const scripts = spent.map(({ script }) => script);
  const values = spent.map(({ value }) => value);
  const digest = signable.preimageWitnessV1(index, scripts, sighash, values);
  return schnorr.verify(signature.subarray(0, 64), digest, key);
}
