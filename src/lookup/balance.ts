import { scriptHashOf } from '../electrum/script-hash.ts';
import { type Unspent, type VerifiedEntry, type VerifiedHistory } from './lookup.ts';

/** What a history comes to. */
export interface ScriptBalance extends Pick<
  VerifiedHistory,
  'confirmed' | 'unconfirmed' | 'unspent'
> {
  /** How many of the transactions pay or spend the script. */
  readonly touching: number;
}

/** An output that pays the script, and the heights of the transactions that spend it. */
interface Coin extends Unspent {
  readonly spentAt: number[];
}

/**
 * Adds up a history. That a transaction spends the script is told by the output that it spends,
 * whatever the kind of script: the history of a script that spent an output also holds the
 * transaction that paid it.
 */
export function balanceOf(entries: readonly VerifiedEntry[], scriptHash: string): ScriptBalance {
  const coins = new Map<string, Coin>();
  const touching = new Set<VerifiedEntry>();
  for (const entry of entries) {
    for (const [vout, { value, script }] of entry.transaction.outputs.entries()) {
      if (scriptHashOf(script) !== scriptHash) continue;
      const { txid, height, proved } = entry;
      coins.set(`${txid}:${vout}`, { txid, vout, value, height, proved, spentAt: [] });
      touching.add(entry);
    }
  }
  for (const entry of entries) {
    for (const { txid, vout } of entry.transaction.inputs) {
      const coin = coins.get(`${txid}:${vout}`);
      if (coin === undefined) continue;
      coin.spentAt.push(entry.height);
      touching.add(entry);
    }
  }
  return { ...sumsOf([...coins.values()]), touching: touching.size };
}

function sumsOf(coins: readonly Coin[]): Omit<ScriptBalance, 'touching'> {
  const held = coins.filter(
    ({ height, spentAt }) => height > 0 && !spentAt.some((spent) => spent > 0),
  );
  const unspent = coins.filter(({ spentAt }) => spentAt.length === 0);
  const confirmed = sum(held);
  return {
    confirmed,
    unconfirmed: sum(unspent) - confirmed,
    unspent: unspent.map(({ txid, vout, value, height, proved }) => ({
      txid,
      vout,
      value,
      height,
      proved,
    })),
  };
}

function sum(coins: readonly Coin[]): bigint {
  return coins.reduce((total, { value }) => total + value, 0n);
}
