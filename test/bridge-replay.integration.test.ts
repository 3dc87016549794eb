import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import type { Bridge } from '../src/bridge/start-bridge.ts';
import { type EmbeddedChain, startEmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { purseOf } from '../src/devnet/purse.ts';
import { fundWallet } from '../src/devnet/wallet.ts';
import { connectRaw, type RawWallet, type RpcReply } from './raw-wallet.ts';
import { startTestBridge } from './test-bridge.ts';
import * as recorded from './wallet-recordings.ts';

const SEED = new Uint8Array(32).fill(17);
const USED = 12;
/** As many as BlueWallet puts into one batch. */
const SCRIPTS = 200;
const scope = new Scope();
let devnet: EmbeddedChain;
let bridge: Bridge;
/** Used ones first. */
let scripts: readonly string[];

beforeAll(async () => {
  devnet = scope.use(
    await startEmbeddedChain({ seed: SEED, clock: Date.now, port: 0, log: silent }),
  );
  const used = await fundWallet(devnet, { seed: SEED, addresses: USED, busiest: 30 });
  const unused = Array.from({ length: SCRIPTS - USED }, (_, index) =>
    purseOf(SEED, `unused ${index}`),
  );
  scripts = [...used, ...unused].map(({ scriptHash }) => scriptHash);
  bridge = scope.use(await startTestBridge(devnet.electrum, { windowMs: 1_500 }));
});

afterAll(() => scope[Symbol.asyncDispose]());

async function opened(): Promise<RawWallet> {
  return await connectRaw(bridge.address);
}

async function single(
  wallet: RawWallet,
  { line, withinMs }: recorded.RecordedLine,
): Promise<unknown> {
  const reply = await wallet.ask(line, withinMs);
  assert.ok(!Array.isArray(reply));
  const { error, result } = reply as RpcReply;
  assert.equal(error, undefined, line.slice(0, 200));
  return result;
}

/** Results by id: one array in one line, with exactly the ids that were asked. */
async function batched(
  wallet: RawWallet,
  { line, withinMs }: recorded.RecordedLine,
): Promise<unknown[]> {
  const replies = await wallet.ask(line, withinMs);
  assert.ok(Array.isArray(replies));
  const byId = new Map((replies as RpcReply[]).map((reply) => [reply.id, reply]));
  const asked = JSON.parse(line) as { id: unknown }[];
  assert.deepEqual(new Set(byId.keys()), new Set(asked.map(({ id }) => id)));
  return asked.map(({ id }) => {
    const reply = byId.get(id);
    assert.equal(reply?.error, undefined);
    return reply?.result;
  });
}

const historyOf = (scriptHash: string): unknown[] =>
  devnet.chain.ledger.history(scriptHash).map(({ txid, height, fee }) => ({
    height,
    tx_hash: txid,
    ...(fee !== undefined && { fee: Number(fee) }),
  }));
const statusOf = (scriptHash: string): string | null => devnet.chain.ledger.status(scriptHash);
const hexOf = (txid: string): string | undefined =>
  devnet.chain.ledger.entry(txid)?.transaction.hex;

function txidsOf(): string[] {
  const all = scripts.flatMap((script) => devnet.chain.ledger.history(script));
  return [...new Set(all.map(({ txid }) => txid))];
}

test('Electrum 4.3.4 connects, subscribes to thirty scripts in one burst and reads all', async () => {
  await using wallet = await opened();
  const [version, ...rest] = recorded.electrumStart();
  assert.deepEqual(await single(wallet, version ?? assert.fail()), [
    'Sotto bridge (electrumx-compatible)',
    '1.4',
  ]);
  for (const { line } of rest) wallet.write(line);
  const replies = new Map<unknown, RpcReply>();
  while (replies.size < rest.length) {
    const reply = (await wallet.next(30_000)) as RpcReply;
    assert.equal(reply.error, undefined);
    replies.set(reply.id, reply);
  }
  const tip = { height: devnet.chain.tip.height, hex: devnet.chain.tip.headerHex };
  assert.deepEqual(replies.get(1)?.result, tip);
  const burst = scripts.slice(0, 30);
  burst.forEach((script, index) => {
    wallet.write(recorded.electrumLine(11 + index, 'blockchain.scripthash.subscribe', script));
  });
  const statuses = new Map<unknown, unknown>();
  while (statuses.size < burst.length) {
    const { id, result } = (await wallet.next(30_000)) as RpcReply;
    statuses.set(id, result);
  }
  assert.deepEqual(
    burst.map((_, index) => statuses.get(11 + index)),
    burst.map(statusOf),
  );
  const chunk = electrum(100, 'blockchain.block.headers', 0, 2016);
  assert.deepEqual(await single(wallet, chunk), {
    count: devnet.chain.blocks.length,
    hex: devnet.chain.blocks.map(({ headerHex }) => headerHex).join(''),
    max: 2016,
  });
  for (const script of burst.filter((each) => statusOf(each) !== null)) {
    const history = electrum(101, 'blockchain.scripthash.get_history', script);
    assert.deepEqual(await single(wallet, history), historyOf(script));
  }
  for (const txid of txidsOf()) {
    const raw = electrum(102, 'blockchain.transaction.get', txid);
    assert.equal(await single(wallet, raw), hexOf(txid));
    const place = devnet.chain.ledger.entry(txid)?.place;
    if (place === undefined) continue;
    const merkle = electrum(103, 'blockchain.transaction.get_merkle', txid, place.height);
    assert.deepEqual(await single(wallet, merkle), {
      block_height: place.height,
      merkle: devnet.chain.blocks[place.height]?.tree.branch(place.position),
      pos: place.position,
    });
  }
});

function electrum(id: number, method: string, ...params: unknown[]): recorded.RecordedLine {
  return { line: recorded.electrumLine(id, method, ...params), withinMs: 30_000 };
}

test('Sparrow connects and reads a wallet in batches with text as ids', async () => {
  await using wallet = await opened();
  const [version, ...start] = recorded.sparrowStart();
  const agreed = (await single(wallet, version ?? assert.fail())) as string[];
  assert.equal(agreed[1], '1.4.2');
  // By this word in the name it decides to send batches.
  assert.ok(agreed[0]?.toLowerCase().includes('electrumx'));
  for (const each of start) {
    if (each.line.startsWith('[')) assert.equal((await batched(wallet, each)).length, 8);
    else await single(wallet, each);
  }
  const page = scripts.slice(0, 100);
  const subscribe = recorded.sparrowScripts('blockchain.scripthash.subscribe', page);
  assert.deepEqual(await batched(wallet, subscribe), page.map(statusOf));
  const used = page.filter((script) => statusOf(script) !== null);
  const read = recorded.sparrowScripts('blockchain.scripthash.get_history', used);
  assert.deepEqual(await batched(wallet, read), used.map(historyOf));
  const txids = txidsOf();
  const transactions = recorded.sparrowTransactions(txids);
  assert.deepEqual(await batched(wallet, transactions), txids.map(hexOf));
  const heights = [1, 50, devnet.chain.tip.height];
  assert.deepEqual(
    await batched(wallet, recorded.sparrowHeaders(heights)),
    heights.map((height) => devnet.chain.blocks[height]?.headerHex),
  );
  const stop = recorded.sparrowScripts('blockchain.scripthash.unsubscribe', page.slice(0, 1));
  assert.deepEqual(await batched(wallet, stop), [true]);
});

test('BlueWallet tests the server, then reads a wallet in its batches without subscribing', async () => {
  await using testing = await opened();
  for (const line of recorded.blueWalletTest()) await single(testing, line);
  await using wallet = await opened();
  for (const line of recorded.blueWalletStart()) await single(wallet, line);
  for (const line of recorded.blueWalletFees()) await single(wallet, line);
  const byScript = (method: string, some: readonly string[]): recorded.RecordedLine =>
    recorded.blueWalletBatch(
      method,
      some.map((script) => [script]),
    );
  const { ledger } = devnet.chain;
  const balances = await batched(wallet, byScript('blockchain.scripthash.get_balance', scripts));
  assert.deepEqual(
    balances,
    scripts.map((script) => {
      const { confirmed, unconfirmed } = ledger.balance(script);
      return { confirmed: Number(confirmed), unconfirmed: Number(unconfirmed) };
    }),
  );
  const page = scripts.slice(0, 100);
  const histories = await batched(wallet, byScript('blockchain.scripthash.get_history', page));
  assert.deepEqual(histories, page.map(historyOf));
  const unspent = await batched(wallet, byScript('blockchain.scripthash.listunspent', page));
  assert.equal(unspent.flat().length, page.flatMap((script) => ledger.unspent(script)).length);
  const txids = txidsOf().slice(0, 45);
  const verbose = recorded.blueWalletBatch(
    'blockchain.transaction.get',
    txids.map((txid) => [txid, true]),
  );
  for (const [index, transaction] of (await batched(wallet, verbose)).entries()) {
    const place = ledger.entry(txids[index] ?? '')?.place;
    const { txid, hex, confirmations, blocktime } = transaction as Record<string, unknown>;
    assert.equal(txid, txids[index]);
    assert.equal(hex, hexOf(txids[index] ?? ''));
    assert.equal(confirmations, place && devnet.chain.tip.height - place.height + 1);
    assert.equal(blocktime, place && devnet.chain.blocks[place.height]?.time);
  }
});
