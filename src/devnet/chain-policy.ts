import { OutScript } from '@scure/btc-signer';
import { type ChainOutput, type ChainTransaction, isCoinbase } from './chain-transaction.ts';
import type { LedgerEntry, ReadonlyLedger } from './chain-ledger.ts';

/** Why a transaction is not taken into the mempool, in Bitcoin Core's words. */
export class TransactionRejectedError extends Error {
  override readonly name = 'TransactionRejectedError';
}

/** Where in time the transaction would be confirmed: in the block after the tip. */
export interface NextBlock {
  readonly height: number;
  /** Median time of the last 11 blocks (BIP 113), seconds since the Unix epoch. */
  readonly medianTime: number;
}

export interface Admission {
  /** Satoshis. */
  readonly fee: bigint;
  /** What each input spends. */
  readonly spent: readonly ChainOutput[];
  /** Transactions of the mempool that spend the same and that this one replaces. */
  readonly replaced: readonly string[];
}

const MAX_STANDARD_WEIGHT = 400_000;
const COINBASE_MATURITY = 100;
/** Satoshis for 1000 virtual bytes: minrelaytxfee and incrementalrelayfee of Bitcoin Core 30 and later. */
export const MIN_FEE_RATE = 100n;
/** Satoshis for each byte of an output and of the input that would spend it. */
const DUST_RATE = 3;
const LOCKTIME_IS_TIME = 500_000_000;
const FINAL_SEQUENCE = 0xffff_ffff;

/**
 * Bitcoin Core's checks in its order, but for the signatures.
 * @throws TransactionRejectedError
 */
export function admissionOf(
  transaction: ChainTransaction,
  ledger: ReadonlyLedger,
  next: NextBlock,
): Admission {
  checkAlone(transaction, next);
  const spent = transaction.inputs.map((input) => {
    const output = ledger.output(input);
    const spender = ledger.spenderOf(input);
    if (output === undefined || (spender !== undefined && !ledger.mempool.has(spender))) {
      throw new TransactionRejectedError('bad-txns-inputs-missingorspent');
    }
    checkMaturity(ledger, input.txid, next);
    return output;
  });
  const fee = feeOf(transaction, spent);
  return { fee, spent, replaced: replacedBy({ transaction, fee, ledger }) };
}

/** Whether it can be spent in a block of that height. */
export function isMature({ transaction, place }: LedgerEntry, height: number): boolean {
  if (place === undefined || !isCoinbase(transaction)) return true;
  return height - place.height >= COINBASE_MATURITY;
}

function checkAlone(transaction: ChainTransaction, next: NextBlock): void {
  const { inputs, outputs, weight } = transaction;
  if (isCoinbase(transaction)) throw new TransactionRejectedError('coinbase');
  if (new Set(inputs.map(({ txid, vout }) => `${txid}:${vout}`)).size < inputs.length) {
    throw new TransactionRejectedError('bad-txns-inputs-duplicate');
  }
  if (weight > MAX_STANDARD_WEIGHT) throw new TransactionRejectedError('tx-size');
  const dust = outputs.filter(isDust).length;
  if (dust > 1) throw new TransactionRejectedError('dust');
  if (dust === 1) throw new TransactionRejectedError('dust, tx with dust output must be 0-fee');
  if (!isFinal(transaction, next)) throw new TransactionRejectedError('non-final');
}

/** The threshold of Bitcoin Core's GetDustThreshold. */
function isDust({ value, script }: ChainOutput): boolean {
  if (script[0] === 0x6a) return false;
  const outputBytes = 8 + (script.length < 0xfd ? 1 : 3) + script.length;
  const isWitnessProgram = ['wpkh', 'wsh', 'tr'].includes(kindOf(script));
  const inputBytes = isWitnessProgram ? 67 : 148;
  return value < BigInt(DUST_RATE * (outputBytes + inputBytes));
}

function kindOf(script: Uint8Array): string {
  try {
    return OutScript.decode(script).type;
  } catch {
    return 'unknown';
  }
}

function isFinal({ fields }: ChainTransaction, next: NextBlock): boolean {
  const { lockTime } = fields;
  const reached = lockTime < LOCKTIME_IS_TIME ? next.height : next.medianTime;
  return lockTime < reached || fields.inputs.every(({ sequence }) => sequence === FINAL_SEQUENCE);
}

function checkMaturity(ledger: ReadonlyLedger, txid: string, next: NextBlock): void {
  const parent = ledger.entry(txid);
  if (parent?.place === undefined || isMature(parent, next.height)) return;
  throw new TransactionRejectedError(
    'bad-txns-premature-spend-of-coinbase, ' +
      `tried to spend coinbase at depth ${next.height - parent.place.height}`,
  );
}

function feeOf({ outputs, vsize }: ChainTransaction, spent: readonly ChainOutput[]): bigint {
  const [valueIn, valueOut] = [sum(spent), sum(outputs)];
  if (valueIn < valueOut) {
    throw new TransactionRejectedError(
      `bad-txns-in-belowout, value in (${btc(valueIn)}) < value out (${btc(valueOut)})`,
    );
  }
  const fee = valueIn - valueOut;
  const least = leastFee(vsize);
  if (fee < least) throw new TransactionRejectedError(`min relay fee not met, ${fee} < ${least}`);
  return fee;
}

/** Full replace-by-fee (BIP 125 rules 3 and 4): it pays for all it pushes out and for its own way. */
function replacedBy(candidate: {
  transaction: ChainTransaction;
  fee: bigint;
  ledger: ReadonlyLedger;
}): string[] {
  const { transaction, fee, ledger } = candidate;
  const direct = transaction.inputs.flatMap((input) => ledger.spenderOf(input) ?? []);
  const replaced = [...new Set(direct.flatMap((txid) => ledger.withDescendants(txid)))];
  if (transaction.inputs.some(({ txid }) => replaced.includes(txid))) {
    throw new TransactionRejectedError('bad-txns-spends-conflicting-tx');
  }
  const paid = replaced.reduce((total, txid) => total + (ledger.entry(txid)?.fee ?? 0n), 0n);
  const refused = `insufficient fee, rejecting replacement ${transaction.txid}`;
  if (fee < paid) {
    throw new TransactionRejectedError(
      `${refused}, less fees than conflicting txs; ${btc(fee)} < ${btc(paid)}`,
    );
  }
  const least = leastFee(transaction.vsize);
  if (replaced.length > 0 && fee - paid < least) {
    throw new TransactionRejectedError(
      `${refused}, not enough additional fees to relay; ${btc(fee - paid)} < ${btc(least)}`,
    );
  }
  return replaced;
}

function leastFee(vsize: number): bigint {
  return (MIN_FEE_RATE * BigInt(vsize) + 999n) / 1000n;
}

function sum(outputs: readonly ChainOutput[]): bigint {
  return outputs.reduce((total, { value }) => total + value, 0n);
}

/** With at least two decimals, as Bitcoin Core writes amounts in its words. */
function btc(sats: bigint): string {
  const decimals = String(sats % 100_000_000n).padStart(8, '0');
  return `${sats / 100_000_000n}.${decimals.replace(/0{1,6}$/, '')}`;
}
