import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { scriptOfAddress } from '../src/bitcoin/address.ts';
import type { EmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { purseOf } from '../src/devnet/purse.ts';
import type { AddressMarks } from '../src/devnet/seen.ts';
import { scriptHashOf } from '../src/electrum/script-hash.ts';
import { WaitTimeoutError, waitUntil } from '../src/io/wait-until.ts';
import type { Electrum } from './electrum.ts';

/** A segwit seed of Electrum's own tests. */
export const WALLET_SEED =
  'wild father tree among universe such mobile favorite target dynamic credit identify';

/** Of that seed's receiving addresses those with these numbers; Electrum looks 20 ahead. */
const RECEIVING = {
  0: 'bcrt1q4794m2uuw9jmjszmplfj4wvvr5j272fpmfgxur',
  1: 'bcrt1qha2jlcpgy2gylsdlkpjx67vmj8vswkq9gzr498',
  7: 'bcrt1qgtutjq9zjlsnek2pfpva7jkfluzj7pdewfcdze',
  19: 'bcrt1qsnum2vvkszj4d4dxje877qzhpq8pxqzhl5wtq5',
  27: 'bcrt1qhentg4yhpkazs4xxls6e3tz7v6ymj3hep75sw6',
} as const;

/**
 * A bridge gives a relay that fell silent 50 s for its answer, and 90 s to be reached again, before it asks
 * through the next one; then come the questions that follow from the answer.
 */
const AGREEMENT_MS = 300_000;
const POLL_MS = 250;

const INFO = z.object({ blockchain_height: z.int() });
const TRANSACTIONS = z.array(z.object({ txid: z.string(), height: z.int() }));
/** Electrum 4.8 prints the list alone. */
const HISTORY = z.union([
  TRANSACTIONS,
  z.object({ transactions: TRANSACTIONS }).transform(({ transactions }) => transactions),
]);
/** Address and bitcoins. */
const BALANCES = z.array(z.tuple([z.string(), z.string()]));

/** What a wallet shows, or what the chain has for its addresses. */
interface View {
  readonly height: number;
  /** By txid; 0 in the mempool. */
  readonly heights: Readonly<Record<string, number>>;
  /** Of the addresses that have one, in satoshis; the mempool counts. */
  readonly balances: Readonly<Record<string, number>>;
}

/** Pays to addresses of the seed that nobody has restored yet: near and far, once and twice. */
export async function payBeforehand(backend: EmbeddedChain): Promise<void> {
  await backend.pay(RECEIVING[0], 100_000n);
  await backend.pay(RECEIVING[1], 200_000n);
  await backend.pay(RECEIVING[19], 300_000n);
  await backend.mine(1);
  await backend.pay(RECEIVING[0], 400_000n);
  await backend.pay(RECEIVING[27], 500_000n);
  await backend.mine(2);
  await backend.pay(RECEIVING[7], 600_000n);
}

/** Is paid, pays, and sees blocks come and one of them go. */
export async function receiveAndSpend(wallet: Electrum, backend: EmbeddedChain): Promise<void> {
  await receive(wallet, backend);
  await backend.mine(1);
  await awaitAgreement(wallet, backend);
  await spend(wallet, backend);
  await awaitAgreement(wallet, backend);
  await backend.mine(1);
  await awaitAgreement(wallet, backend);
  await backend.reorg(1);
  await awaitAgreement(wallet, backend);
  await backend.mine(1);
  await awaitAgreement(wallet, backend);
}

/** The miner pays the wallet, and the wallet sees it. */
export async function receive(wallet: Electrum, backend: EmbeddedChain): Promise<void> {
  const address = z.string().parse(await wallet.command('getunusedaddress'));
  await backend.pay(address, 1_000_000n);
  await awaitAgreement(wallet, backend);
}

/** The wallet pays a shop, and the chain has it. */
async function spend(wallet: Electrum, { chain }: EmbeddedChain): Promise<void> {
  const shop = purseOf(new Uint8Array(32), 'shop');
  const raw = await wallet.command('payto', {
    destination: shop.address,
    amount: '0.004',
    fee: '0.0001',
  });
  const txid = z.string().parse(await wallet.command('broadcast', { tx: raw }));
  assert.ok(chain.ledger.mempool.has(txid));
}

/** Waits until the wallet shows what the chain has for its addresses, and waits for nothing itself. */
export async function awaitAgreement(wallet: Electrum, backend: EmbeddedChain): Promise<void> {
  await awaitView(wallet, backend);
  await waitUntil(async () => (await wallet.command('is_synchronized')) === true || undefined, {
    what: 'the wallet to be synchronized',
    timeoutMs: AGREEMENT_MS,
    intervalMs: POLL_MS,
    signal: new AbortController().signal,
  });
  await awaitView(wallet, backend);
}

/** Waits until the wallet shows what the chain has for its addresses, no more and no less. */
export async function awaitView(wallet: Electrum, { chain }: EmbeddedChain): Promise<void> {
  let shown: View | undefined;
  let truth: View | undefined;
  const agree = async (): Promise<true | undefined> => {
    const balances = await balancesOf(wallet);
    shown = await viewOf(wallet, balances);
    truth = truthOf(chain, [...balances.keys(), ...Object.values(RECEIVING)]);
    return isDeepStrictEqual(shown, truth) || undefined;
  };
  try {
    await waitUntil(agree, {
      what: 'the wallet to agree with the chain',
      timeoutMs: AGREEMENT_MS,
      intervalMs: POLL_MS,
      signal: new AbortController().signal,
    });
  } catch (error) {
    if (error instanceof WaitTimeoutError) assert.deepEqual(shown, truth);
    throw error;
  }
}

/** All that the wallet has derived so far. */
export async function addressesOf(wallet: Electrum): Promise<readonly AddressMarks[]> {
  return [...(await balancesOf(wallet)).keys()].map(marksOf);
}

function marksOf(address: string): AddressMarks {
  const script = scriptOfAddress(address, 'regtest');
  return { address, script, scriptHash: scriptHashOf(script) };
}

async function balancesOf(wallet: Electrum): Promise<ReadonlyMap<string, number>> {
  const listed = await wallet.command('listaddresses', { balance: true });
  return new Map(
    BALANCES.parse(listed).map(([address, bitcoins]) => [
      address,
      Math.round(Number(bitcoins) * 100_000_000),
    ]),
  );
}

async function viewOf(wallet: Electrum, balances: ReadonlyMap<string, number>): Promise<View> {
  const info = INFO.parse(await wallet.command('getinfo'));
  const transactions = HISTORY.parse(await wallet.command('onchain_history'));
  return {
    height: info.blockchain_height,
    heights: Object.fromEntries(
      transactions.map(({ txid, height }) => [txid, Math.max(height, 0)]),
    ),
    balances: Object.fromEntries([...balances].filter(([, sats]) => sats !== 0)),
  };
}

function truthOf(chain: EmbeddedChain['chain'], addresses: readonly string[]): View {
  const heights: Record<string, number> = {};
  const balances: Record<string, number> = {};
  for (const address of addresses) {
    const { scriptHash } = marksOf(address);
    for (const { txid, height } of chain.ledger.history(scriptHash)) {
      heights[txid] = Math.max(height, 0);
    }
    const { confirmed, unconfirmed } = chain.ledger.balance(scriptHash);
    const sats = Number(confirmed + unconfirmed);
    if (sats !== 0) balances[address] = sats;
  }
  return { height: chain.tip.height, heights, balances };
}
