import { createHash } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { OutScript, p2wpkh, Script, ScriptNum } from '@scure/btc-signer';
import { addressOfScript } from '../bitcoin/address.ts';
import { type Network } from '../bitcoin/networks.ts';

/** From here on a lock time is one of Unix seconds and not of blocks (BIP 65). */
export const MIN_LOCKTIME = 500_000_000;
/** 2038-01-19: no miniscript has a later one (BIP 379), so no wallet could spend it. */
export const MAX_LOCKTIME = 0x7fff_ffff;

/** Whose coins are locked until when. */
export interface BondTerms {
  /** Unix seconds, `MIN_LOCKTIME` to `MAX_LOCKTIME`. */
  readonly locktime: number;
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array;
}

/**
 * The script that the coins are paid to: `<key> OP_CHECKSIGVERIFY <locktime>
 * OP_CHECKLOCKTIMEVERIFY`, which is the miniscript `and_v(v:pk(key),after(locktime))` (BIP 379).
 * @throws RangeError when the lock time is not one of seconds.
 */
export function bondScript({ locktime, publicKey }: BondTerms): Uint8Array {
  if (!Number.isInteger(locktime) || locktime < MIN_LOCKTIME || locktime > MAX_LOCKTIME) {
    throw new RangeError(`a lock time is ${MIN_LOCKTIME} to ${MAX_LOCKTIME}`);
  }
  const time = ScriptNum(4, true).encode(BigInt(locktime));
  return Script.encode([publicKey, 'CHECKSIGVERIFY', time, 'CHECKLOCKTIMEVERIFY']);
}

/** The output script of the bond: P2WSH of its script (BIP 141). */
export function bondOutputScript(terms: BondTerms): Uint8Array {
  const hash = createHash('sha256').update(bondScript(terms)).digest();
  return OutScript.encode({ type: 'wsh', hash });
}

/** The address to which the operator sends what is to be locked. */
export function bondAddress(terms: BondTerms, network: Network): string {
  const address = addressOfScript(bondOutputScript(terms), network);
  if (address === undefined) throw new Error('a P2WSH script has an address');
  return address;
}

/** Whether it is a compressed key, 33 bytes, that somebody can have: coins paid to another are lost. */
export function isPublicKey(bytes: Uint8Array): boolean {
  return secp256k1.utils.isValidPublicKey(bytes, true);
}

/**
 * The address at which a wallet of single keys has this key, P2WPKH (BIP 141): that from which the operator
 * took it.
 */
export function addressOfKey(publicKey: Uint8Array, network: Network): string {
  const address = addressOfScript(p2wpkh(publicKey).script, network);
  if (address === undefined) throw new Error('a P2WPKH script has an address');
  return address;
}
