import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, test } from 'vitest';
import { concatBytes } from '../src/base/bytes.ts';
import { silent } from '../src/base/log.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { RegtestChain } from '../src/devnet/chain.ts';
import { purseOf, signPayment } from '../src/devnet/purse.ts';
import { startElectrumClient, type ElectrumClient } from '../src/electrum/client.ts';
import { foldBranch } from '../src/electrum/merkle.ts';
import { ProofError } from '../src/electrum/proof-error.ts';
import { type Dial, DialError } from '../src/io/dial.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { DirectLookup } from '../src/lookup/direct-lookup.ts';
import { LookupError } from '../src/lookup/fault.ts';
import { News } from '../src/lookup/header-news.ts';
import { HeaderView } from '../src/lookup/header-view.ts';
import type { Lookup, VerifiedHistory } from '../src/lookup/lookup.ts';
import { openDirectLookup } from '../src/lookup/open-direct-lookup.ts';
import { ScriptHints } from '../src/lookup/script-hints.ts';
import { networkParams } from '../src/bitcoin/networks.ts';
import { electrumHeaderSource } from '../src/electrum/electrum-header-source.ts';
import { HeaderChain } from '../src/electrum/header-chain.ts';
import { syncHeaders } from '../src/electrum/header-sync.ts';
import { type LookupNetwork, startLookupNetwork } from './lookup-network.ts';

let net: LookupNetwork;
let directory: string;
const scope = new Scope();
const { signal } = new AbortController();
const server = { host: 'own.onion', port: 50_001 };

beforeAll(async () => {
  net = scope.use(await startLookupNetwork({ nodes: 4, addresses: 12 }));
  directory = scope.use(await makeTemporaryDirectory()).path;
});

afterAll(() => scope[Symbol.asyncDispose]());

const dial: Dial = (_, options) =>
  loopbackDial({ host: '127.0.0.1', port: net.electrumPort }, options);

function open(by: Dial = dial): Promise<Lookup> {
  const options = { network: 'regtest', server, directory, clock: Date.now, log: silent } as const;
  return openDirectLookup({ ...options, dial: by, signal });
}

function until(what: string, holds: () => boolean): Promise<true> {
  const options = { what, timeoutMs: 20_000, intervalMs: 10, signal };
  return waitUntil(() => holds() || undefined, options);
}

test('direct and relayed lookups of a wallet are equal, but for who answered', async () => {
  await using direct = await open();
  const { lookup: relayed } = await net.lookup();
  for (const { scriptHash, txids } of net.wallet) {
    const histories = await Promise.all(
      [direct, relayed].map((lookup) => lookup.history(scriptHash, { signal })),
    );
    const [one, other] = histories.map((history) => ({ ...history, source: undefined }));
    assert.deepEqual(one, other);
    assert.deepEqual(new Set(one?.entries.map(({ txid }) => txid)), new Set(txids));
  }
});

test('a transaction is proved when a block has it, by direct and relayed lookups alike', async () => {
  await using direct = await open();
  const { lookup: relayed } = await net.lookup();
  const purse = purseOf(new Uint8Array(32).fill(10), 'anyone');
  const waiting = net.chain.pay(purse.script, 10_000n);
  const mined = net.wallet[0]?.txids[0];
  assert.ok(mined !== undefined);
  const lookups: readonly Lookup[] = [direct, relayed];
  for (const lookup of lookups) {
    const inBlock = await lookup.transaction(mined, { signal });
    const inMempool = await lookup.transaction(waiting, { signal });
    const { txid, height, proved, branch = [], position = -1 } = inBlock;
    assert.deepEqual([txid, proved], [mined, true]);
    const root = lookup.headers.headerAt(height)?.merkleRoot;
    assert.equal(foldBranch({ txid, position, branch }), root);
    assert.deepEqual([inMempool.txid, inMempool.height, inMempool.proved], [waiting, 0, false]);
    await assert.rejects(
      lookup.transaction('ab'.repeat(32), { signal }),
      (error) => error instanceof LookupError && error.code === 'not-found',
    );
  }
});

test('a payment and a block are hinted at by the server, also after the connection was lost', async () => {
  const connections: Duplex[] = [];
  await using lookup = await open(async (address, options) => {
    const stream = await dial(address, options);
    connections.push(stream);
    return stream;
  });
  const purse = purseOf(new Uint8Array(32).fill(11), 'watched');
  let hints = 0;
  const heights: number[] = [];
  lookup.watch?.(purse.scriptHash, () => (hints += 1));
  lookup.headers.onTip(({ height }) => heights.push(height));
  await lookup.history(purse.scriptHash, { signal });
  await lookup.headers.reached(signal);
  const hinted = (count: number): Promise<true> =>
    until(`hint ${count}`, () => hints >= count && heights.at(-1) === net.chain.tip.height);
  net.chain.pay(purse.script, 10_000n);
  net.chain.mine(1);
  await hinted(1);
  const before = hints;
  connections[0]?.destroy();
  net.chain.pay(purse.script, 20_000n);
  net.chain.mine(1);
  await hinted(before + 1);
  assert.equal(connections.length, 2);
  const { confirmed } = await lookup.history(purse.scriptHash, { signal });
  assert.equal(confirmed, 30_000n);
});

test('a reorganisation is told, and what was in blocks that are gone is unconfirmed', async () => {
  await using lookup = await open();
  const purse = purseOf(new Uint8Array(32).fill(12), 'reorganised');
  net.chain.pay(purse.script, 10_000n);
  net.chain.mine(1);
  const gone = net.chain.tip;
  const { confirmed } = await lookup.history(purse.scriptHash, { signal });
  assert.equal(confirmed, 10_000n);
  const tips: string[] = [];
  const stop = lookup.headers.onTip(({ hash }) => tips.push(hash));
  net.chain.reorg(2);
  await until('the other branch', () => lookup.headers.tip.hash === net.chain.tip.hash);
  assert.equal(tips.at(-1), net.chain.tip.hash);
  assert.notEqual(lookup.headers.headerAt(gone.height)?.hash, gone.hash);
  stop();
  net.chain.mine(1);
  await until('a block', () => lookup.headers.tip.hash === net.chain.tip.hash);
  assert.notEqual(tips.at(-1), net.chain.tip.hash);
});

test('the headers are kept for the next time', async () => {
  const first = await open();
  await first.history(net.wallet[0]?.scriptHash ?? '', { signal });
  await first[Symbol.asyncDispose]();
  const { size } = await stat(join(directory, 'headers'));
  assert.equal(size, 80 * net.chain.blocks.length);
});

test('a broadcast arrives, and one that is refused is the word of the server', async () => {
  await using direct = await open();
  const purse = purseOf(new Uint8Array(32).fill(9), 'direct');
  const txid = net.chain.pay(purse.script, 100_000n);
  const outputs = net.chain.ledger.entry(txid)?.transaction.outputs ?? [];
  const vout = outputs.findIndex(({ scriptHash }) => scriptHash === purse.scriptHash);
  const payment = { coins: [{ txid, vout, value: 100_000n }], outputs: [] };
  const sent = await direct.broadcast(signPayment(purse, payment).raw, { signal });
  assert.ok(net.chain.ledger.mempool.has(sent));
  const old = net.chain.blocks[2]?.transactions[0]?.raw;
  assert.ok(old);
  await assert.rejects(
    direct.broadcast(old, { signal }),
    (error) => error instanceof LookupError && error.code === 'server-error',
  );
});

test('a server that cannot be reached is at fault', async () => {
  const closed: Dial = () => Promise.reject(new DialError('nothing answers'));
  await assert.rejects(
    open(closed),
    (error) =>
      error instanceof LookupError &&
      error.code === 'server-unreachable' &&
      error.culprit.role === 'server',
  );
});

type Call = (method: string, params: unknown, options?: unknown) => Promise<unknown>;
type Lie = (answer: unknown, method: string) => unknown;

interface Setting {
  readonly lie?: Lie;
  /** Blocks that the client already holds. */
  readonly held?: RegtestChain;
}

/** The wallet's first address, by a server whose answers are changed. */
async function historyWith({ lie = (answer) => answer, held }: Setting): Promise<VerifiedHistory> {
  await using lying = new Scope();
  const client = lying.use(
    await startElectrumClient({
      dial: (dialing) => dial(server, { signal: dialing, isolation: '' }),
      clientName: 'test',
      timeoutMs: 5000,
      log: silent,
      signal,
    }),
  );
  const call = client.call.bind(client) as unknown as Call;
  const changed: Call = async (method, params, options) =>
    lie(await call(method, params, options), method);
  const chain = new HeaderChain(networkParams('regtest'), Date.now);
  if (held !== undefined) chain.connect(0, concatBytes(...held.blocks.map(({ header }) => header)));
  let isNews = held === undefined;
  const headers = lying.use(
    new HeaderView({
      store: { chain, save: () => Promise.resolve() },
      news: (until) => new News().next(60_000, until),
      sync: async (syncing) => {
        const sources = [electrumHeaderSource('own', client)];
        if (isNews) await syncHeaders({ chain, sources, ...syncing });
        isNews = true;
      },
    }),
  );
  const lookup = new DirectLookup({
    network: 'regtest',
    client: { call: changed } as unknown as ElectrumClient,
    onion: server.host,
    headers,
    hints: new ScriptHints(client),
    clock: Date.now,
    scope: new Scope(),
  });
  return await lookup.history(net.wallet[0]?.scriptHash ?? '', { signal });
}

const replacing =
  (method: string, change: (answer: never) => unknown): Lie =>
  (answer, asked) =>
    asked === method ? change(answer as never) : answer;

test.each<[string, string, Lie]>([
  [
    'a wrong proof',
    'bad-merkle-root',
    replacing('blockchain.transaction.get_merkle', (proof: { merkle: string[] }) => ({
      ...proof,
      merkle: proof.merkle.map(() => '00'.repeat(32)),
    })),
  ],
  [
    'a coinbase of another depth',
    'coinbase-depth',
    replacing('blockchain.transaction.id_from_pos', (first: object) => ({
      ...first,
      tx_hash: '00'.repeat(32),
    })),
  ],
  [
    'a wrong status',
    'status-mismatch',
    replacing('blockchain.scripthash.subscribe', () => '00'.repeat(32)),
  ],
  [
    'a shortened history',
    'status-mismatch',
    replacing('blockchain.scripthash.get_history', (items: unknown[]) => items.slice(1)),
  ],
])('a server that gives %s is refused', async (_, code, lie) => {
  await assert.rejects(historyWith({ lie }), (error) => {
    assert.ok(error instanceof LookupError);
    assert.deepEqual([error.code, error.culprit.role], ['false-answer', 'server']);
    return error.cause instanceof ProofError && error.cause.code === code;
  });
});

test('a server that went over to another branch is believed after new headers came', async () => {
  const held = new RegtestChain({ seed: new Uint8Array(32).fill(8), clock: Date.now });
  net.chain.mine(2);
  held.mine(net.chain.tip.height - 1);
  const { entries } = await historyWith({ held });
  assert.ok(entries.length > 0 && entries.every(({ proved }) => proved));
});
