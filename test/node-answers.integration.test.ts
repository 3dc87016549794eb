import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { afterAll, beforeAll, test } from 'vitest';
import { fromHex, toHex } from '../src/base/bytes.ts';
import type { Cbor } from '../src/base/cbor.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { parseHeader } from '../src/bitcoin/block-header.ts';
import { parseTransaction } from '../src/bitcoin/transaction.ts';
import { RegtestChain } from '../src/devnet/chain.ts';
import { genesisBlock } from '../src/devnet/chain-block.ts';
import { startChainServer } from '../src/devnet/chain-server.ts';
import { purseOf, signPayment } from '../src/devnet/purse.ts';
import { type ElectrumClient, startElectrumClient } from '../src/electrum/client.ts';
import { ElectrumClientError } from '../src/electrum/client-error.ts';
import { foldBranch } from '../src/electrum/merkle.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import {
  decodeBroadcastBody,
  decodeFeesBody,
  decodeInfoBody,
  decodeRejectionBody,
  decodeStatusBody,
  decodeUnspentBody,
  UNSPENT_PAGE,
} from '../src/query/bodies.ts';
import { decodeCursor } from '../src/query/cursor.ts';
import { decodeHistoryBody, type HistoryBody } from '../src/query/history-body.ts';
import { encodeQuery, type HistoryQuery, type Query } from '../src/query/query.ts';
import { decodeTransactionBody } from '../src/query/transaction-body.ts';
import { splitUpload } from '../src/query/upload.ts';
import { MAX_SIGNED_REPLY_BYTES } from '../src/relay/limits.ts';
import { encodeReply, type Reply } from '../src/relay/message.ts';
import { electrumHandler } from '../src/node/electrum-handler.ts';
import { followHeaders, type FollowedHeaders } from '../src/electrum/follow-headers.ts';

const SEED = new Uint8Array(32).fill(9);
const NOW = Date.parse('2026-11-22T08:00:00Z');
const NEVER = new AbortController().signal;
setMaxListeners(0, NEVER);
const ALICE = purseOf(SEED, 'alice');
const BOB = purseOf(SEED, 'bob');
const CAROL = purseOf(SEED, 'carol');
const SIGNATURE = new Uint8Array(64);

type Answer = (params: never) => unknown;

/** One gateway with the chain behind its target. */
class Fixture implements AsyncDisposable {
  readonly chain: RegtestChain;
  readonly calls: string[] = [];
  /** What the target says instead of the truth, by method. */
  readonly lies = new Map<string, Answer>();
  nowMs = NOW;
  readonly #scope: Scope;
  readonly #headers: FollowedHeaders;
  readonly #handler: ReturnType<typeof electrumHandler>;

  private constructor(
    scope: Scope,
    {
      chain,
      client,
      headers,
    }: { chain: RegtestChain; client: ElectrumClient; headers: FollowedHeaders },
  ) {
    this.#scope = scope;
    this.chain = chain;
    this.#headers = headers;
    const call = ((method, params, options) => {
      this.calls.push(method);
      const lie = this.lies.get(method);
      if (lie === undefined) return client.call(method, params, options);
      return Promise.resolve().then(() => lie(params as never));
    }) as ElectrumClient['call'];
    this.#handler = electrumHandler({
      client: { ...client, protocol: client.protocol, call },
      headers,
      clock: () => this.nowMs,
      software: 'sotto/test',
    });
  }

  static async start(): Promise<Fixture> {
    await using starting = new Scope();
    const chain = new RegtestChain({ seed: SEED, clock: () => NOW });
    chain.mine(101);
    const server = starting.use(
      await startChainServer({ chain, host: '127.0.0.1', port: 0, log: silent }),
    );
    const client = starting.use(
      await startElectrumClient({
        dial: (signal) => loopbackDial(server, { signal, isolation: '' }),
        clientName: 'test',
        timeoutMs: 5000,
        log: silent,
        signal: NEVER,
      }),
    );
    const headers = starting.use(
      await followHeaders({
        client,
        network: 'regtest',
        clock: () => NOW,
        log: silent,
        signal: NEVER,
      }),
    );
    return new Fixture(starting.move(), { chain, client, headers });
  }

  /** The reply, which fits into its cell. */
  async ask(query: Query): Promise<Reply> {
    const { op, args } = encodeQuery(query);
    return await this.askRaw(op, args);
  }

  async askRaw(op: number, args: Cbor): Promise<Reply> {
    const reply = await this.#handler({ op, args }, { signal: NEVER });
    const context = { nodeId: '00'.repeat(16), request: new Uint8Array() };
    const { length } = encodeReply({ ...context, reply, sign: () => SIGNATURE });
    assert.ok(length <= MAX_SIGNED_REPLY_BYTES);
    return reply;
  }

  /** Waits until the gateway knows the tip of the chain. */
  async settle(): Promise<void> {
    await this.#headers.reach(this.chain.tip.height, { signal: NEVER });
    assert.equal(this.#headers.chain.tip.hash, this.chain.tip.hash);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
  }
}

/** Confirmed in blocks of twenty. */
function payMany(chain: RegtestChain, script: Uint8Array, payments: number): void {
  for (let paid = 1; paid <= payments; paid += 1) {
    chain.pay(script, 20_000n);
    if (paid % 20 === 0 || paid === payments) chain.mine(1);
  }
}

function historyOf(reply: Reply): HistoryBody {
  assert.equal(reply.code, 'OK');
  return decodeHistoryBody(reply.body);
}

function history(scriptHash: string, changes: Partial<HistoryQuery> = {}): HistoryQuery {
  return { op: 'HISTORY', scriptHash, proofs: true, raw: true, ...changes };
}

/** The question for the next page. */
function after<Q extends Query>(query: Q, { cursor }: Reply): Q {
  assert.ok(cursor);
  return { ...query, cursor: decodeCursor(cursor) };
}

async function fixture(): Promise<Fixture> {
  return await Fixture.start();
}

function rootOf({ tip }: RegtestChain): string {
  return parseHeader(tip.header).merkleRoot;
}

let shared: Fixture;
beforeAll(async () => {
  shared = await fixture();
  payMany(shared.chain, ALICE.script, 200);
  shared.chain.pay(BOB.script, 30_000n);
  shared.chain.mine(1);
  shared.chain.pay(BOB.script, 40_000n);
  await shared.settle();
});
afterAll(async () => {
  await shared[Symbol.asyncDispose]();
});

test('NOOP tells the tip', async () => {
  const { tip } = shared.chain;
  const reply = await shared.ask({ op: 'NOOP' });
  assert.deepEqual(reply, {
    code: 'OK',
    tipHeight: tip.height,
    tipHash: fromHex(tip.hash),
    body: null,
  });
});

for (const [proofs, raw] of [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const) {
  test(`a history ${proofs ? 'with' : 'without'} proofs, ${raw ? 'with' : 'without'} transactions`, async () => {
    const reply = await shared.ask(history(BOB.scriptHash, { proofs, raw }));
    const { entries, total, first, status } = historyOf(reply);
    assert.deepEqual([total, first, reply.cursor], [2, 0, undefined]);
    assert.equal(status, shared.chain.ledger.status(BOB.scriptHash));
    assert.deepEqual(
      entries.map(({ height }) => height),
      [shared.chain.tip.height, 0],
    );
    for (const { txid, height, ...entry } of entries) {
      assert.equal(entry.raw && parseTransaction(entry.raw).txid, raw ? txid : undefined);
      assert.equal(
        entry.proof && foldBranch({ txid, ...entry.proof }),
        proofs && height > 0 ? rootOf(shared.chain) : undefined,
      );
    }
  });
}

test('an address nobody paid has an empty history', async () => {
  const reply = await shared.ask(history(CAROL.scriptHash));
  assert.deepEqual(historyOf(reply), { total: 0, first: 0, entries: [], status: null });
});

test('a history of 200 transactions is read page by page', async () => {
  const txids: string[] = [];
  let query = history(ALICE.scriptHash);
  let reply = await shared.ask(query);
  for (let pages = 1; ; pages += 1) {
    const { entries, total, first } = historyOf(reply);
    assert.deepEqual([total, first], [200, txids.length]);
    assert.ok(entries.length > 0 && pages < 100);
    txids.push(...entries.map(({ txid }) => txid));
    if (reply.cursor === undefined) break;
    query = after(query, reply);
    reply = await shared.ask(query);
  }
  assert.equal(new Set(txids).size, 200);
});

test('pages come from the snapshot of the first one', async () => {
  await using gateway = await fixture();
  payMany(gateway.chain, ALICE.script, 40);
  await gateway.settle();
  const query = history(ALICE.scriptHash);
  const first = await gateway.ask(query);
  gateway.chain.pay(ALICE.script, 20_000n);
  gateway.chain.mine(1);
  await gateway.settle();
  const { total, status } = historyOf(await gateway.ask(after(query, first)));
  assert.deepEqual([total, status], [40, historyOf(first).status]);
  const asked = gateway.calls.filter((method) => method.endsWith('get_history'));
  assert.equal(asked.length, 1);
});

test('a cursor from before a reorganisation is stale', async () => {
  await using gateway = await fixture();
  payMany(gateway.chain, ALICE.script, 40);
  await gateway.settle();
  const query = history(ALICE.scriptHash);
  const first = await gateway.ask(query);
  gateway.chain.reorg(1);
  await gateway.settle();
  assert.equal((await gateway.ask(after(query, first))).code, 'CURSOR_STALE');
});

test('a tip that is replaced while its answer is made is not vouched for', async () => {
  await using gateway = await fixture();
  const txid = gateway.chain.pay(ALICE.script, 10_000n);
  gateway.chain.mine(2);
  await gateway.settle();
  const raw = toHex(gateway.chain.ledger.entry(txid)?.transaction.raw ?? new Uint8Array());
  gateway.lies.set('blockchain.transaction.get', async () => {
    gateway.chain.reorg(1);
    await gateway.settle();
    return raw;
  });
  const query = history(ALICE.scriptHash);
  assert.equal((await gateway.ask(query)).code, 'CURSOR_STALE');
  gateway.lies.clear();
  assert.equal((await gateway.ask(query)).code, 'OK');
});

test('a cursor that was kept too long is stale once there is another tip', async () => {
  await using gateway = await fixture();
  payMany(gateway.chain, ALICE.script, 40);
  await gateway.settle();
  const query = history(ALICE.scriptHash);
  const next = after(query, await gateway.ask(query));
  gateway.nowMs += 61_000;
  assert.equal((await gateway.ask(next)).code, 'OK');
  gateway.chain.mine(1);
  await gateway.settle();
  gateway.nowMs += 61_000;
  assert.equal((await gateway.ask(next)).code, 'CURSOR_STALE');
});

test('a cursor past the end or of no block is stale', async () => {
  const query = history(BOB.scriptHash);
  const { hash } = shared.chain.tip;
  for (const cursor of [
    { tipHash: hash, index: 3 },
    { tipHash: '00'.repeat(32), index: 1 },
  ]) {
    assert.equal((await shared.ask({ ...query, cursor })).code, 'CURSOR_STALE');
    assert.equal(
      (await shared.ask({ op: 'UNSPENT', scriptHash: BOB.scriptHash, cursor })).code,
      cursor.tipHash === hash ? 'OK' : 'CURSOR_STALE',
    );
  }
});

test('a history of more than 2000 transactions is refused', async () => {
  await using gateway = await fixture();
  const rows = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      tx_hash: index.toString(16).padStart(64, '0'),
      height: 1,
    }));
  const query = history(ALICE.scriptHash, { proofs: false, raw: false });
  gateway.lies.set('blockchain.scripthash.get_history', () => rows(2001));
  assert.equal((await gateway.ask(query)).code, 'HISTORY_TOO_LONG');
  assert.equal(
    (await gateway.ask({ op: 'STATUS', scriptHash: ALICE.scriptHash })).code,
    'HISTORY_TOO_LONG',
  );
  gateway.lies.set('blockchain.scripthash.get_history', () => rows(2000));
  assert.equal(historyOf(await gateway.ask(query)).total, 2000);
});

test('a block that comes between tip and history is waited for', async () => {
  await using gateway = await fixture();
  const { chain } = gateway;
  const txid = chain.pay(ALICE.script, 20_000n);
  gateway.lies.set('blockchain.scripthash.get_history', () => {
    if (chain.ledger.mempool.size > 0) chain.mine(1);
    return [{ tx_hash: txid, height: chain.tip.height }];
  });
  const reply = await gateway.ask(history(ALICE.scriptHash));
  assert.equal(historyOf(reply).entries[0]?.height, 102);
  assert.equal(reply.tipHeight, 102);
});

const LIES: readonly (readonly [method: string, what: string, lie: unknown])[] = [
  ['transaction.get_merkle', 'another proof', { merkle: ['11'.repeat(32)], pos: 1 }],
  ['transaction.id_from_pos', 'another coinbase', { tx_hash: '22'.repeat(32), merkle: [] }],
  ['transaction.id_from_pos', 'a coinbase without proof', '22'.repeat(32)],
  ['transaction.get', 'no text', { hex: 'no text' }],
  ['transaction.get', 'no hex', 'no hex'],
  ['transaction.get', 'another transaction', genesisBlock().transactions[0]?.hex],
];

for (const [method, what, lie] of LIES) {
  test(`a target that gives ${what} for ${method} is not synced`, async () => {
    await using gateway = await fixture();
    gateway.chain.pay(ALICE.script, 20_000n);
    gateway.chain.mine(1);
    await gateway.settle();
    gateway.lies.set(`blockchain.${method}`, () => lie);
    assert.equal((await gateway.ask(history(ALICE.scriptHash))).code, 'NOT_SYNCED');
    gateway.lies.clear();
    assert.equal((await gateway.ask(history(ALICE.scriptHash))).code, 'OK');
  });
}

test('a target that is gone or silent is told apart', async () => {
  await using gateway = await fixture();
  for (const [code, answer] of [
    ['disconnected', 'NOT_SYNCED'],
    ['timeout', 'BUSY'],
  ] as const) {
    gateway.lies.set('blockchain.scripthash.get_history', () => {
      throw new ElectrumClientError(code, 'test');
    });
    assert.equal((await gateway.ask(history(ALICE.scriptHash))).code, answer);
  }
});

test('STATUS tells status and length', async () => {
  const reply = await shared.ask({ op: 'STATUS', scriptHash: ALICE.scriptHash });
  const status = shared.chain.ledger.status(ALICE.scriptHash);
  assert.deepEqual(decodeStatusBody(reply.body), { status, total: 200 });
});

test('UNSPENT goes page by page while the tip stays', async () => {
  await using gateway = await fixture();
  payMany(gateway.chain, ALICE.script, UNSPENT_PAGE + 1);
  await gateway.settle();
  const query = { op: 'UNSPENT', scriptHash: ALICE.scriptHash } as const;
  const first = await gateway.ask(query);
  const second = await gateway.ask(after(query, first));
  const pages = [first, second].map(({ body }) => decodeUnspentBody(body));
  assert.deepEqual(
    pages.map(({ length }) => length),
    [UNSPENT_PAGE, 1],
  );
  assert.equal(
    new Set(pages.flat().map(({ txid, vout }) => `${txid}:${vout}`)).size,
    UNSPENT_PAGE + 1,
  );
  assert.ok(pages.flat().every(({ value }) => value === 20_000n));
  assert.equal(second.cursor, undefined);
  gateway.chain.mine(1);
  await gateway.settle();
  assert.equal((await gateway.ask(after(query, first))).code, 'CURSOR_STALE');
});

/** A signed transaction of over 20 kB, and what it spends is in a block. */
function largeTransaction(chain: RegtestChain): ReturnType<typeof signPayment> {
  chain.pay(ALICE.script, 1_000_000n);
  chain.mine(1);
  const coins = chain.ledger.unspent(ALICE.scriptHash).slice(0, 1);
  const outputs = Array.from({ length: 650 }, () => ({ script: BOB.script, amount: 1000n }));
  return signPayment(ALICE, { coins, outputs });
}

test('a transaction of 20 kB is broadcast in parts and read in pages', async () => {
  await using gateway = await fixture();
  const { chain } = gateway;
  const large = largeTransaction(chain);
  const parts = splitUpload(large.raw);
  assert.ok(parts.length > 10);
  const replies: Reply[] = [];
  for (const part of parts.toReversed()) replies.push(await gateway.ask(part));
  const bodies = replies.map(({ body }) => decodeBroadcastBody(body));
  assert.deepEqual(
    bodies.map(({ held }) => held),
    parts.map((_, index) => index + 1),
  );
  assert.deepEqual(bodies.at(-1)?.txid, large.txid);
  assert.ok(bodies.slice(0, -1).every(({ txid }) => txid === null));
  chain.mine(1);
  await gateway.settle();

  let query: Query = { op: 'TX', txid: large.txid, height: chain.tip.height };
  let reply = await gateway.ask(query);
  const { proof } = decodeTransactionBody(reply.body);
  assert.ok(proof);
  assert.equal(foldBranch({ txid: large.txid, ...proof }), rootOf(chain));
  let read = '';
  for (;;) {
    const { size, offset, bytes } = decodeTransactionBody(reply.body);
    assert.deepEqual([size, offset], [large.raw.length, read.length / 2]);
    read += toHex(bytes);
    if (reply.cursor === undefined) break;
    query = after(query, reply);
    reply = await gateway.ask(query);
  }
  assert.equal(read, large.hex);
  const end = { tipHash: chain.tip.hash, index: large.raw.length };
  assert.equal((await gateway.ask({ ...query, cursor: end })).code, 'BAD_REQUEST');
});

test('parts that are not what the upload is named after are refused', async () => {
  const parts = splitUpload(new Uint8Array(2000).fill(1));
  const [first, last] = parts;
  assert.ok(first && last);
  assert.equal((await shared.ask(first)).code, 'OK');
  const reply = await shared.ask({ ...last, bytes: new Uint8Array(200).fill(2) });
  assert.equal(reply.code, 'BAD_REQUEST');
});

test('a transaction that the network refuses is refused in its words, cut short', async () => {
  const [part] = splitUpload(Uint8Array.of(0));
  assert.ok(part);
  const reply = await shared.ask(part);
  assert.equal(reply.code, 'TX_REJECTED');
  const words = decodeRejectionBody(reply.body);
  assert.match(words, /TX decode failed[ -~]*$/);
  assert.ok(words.length <= 80);
});

test('fees are asked once a minute for all clients', async () => {
  await using gateway = await fixture();
  gateway.lies.set('blockchain.estimatefee', ({ number }: { number: number }) =>
    number === 1 ? -1 : 0.0001 / number,
  );
  const ask = async () => decodeFeesBody((await gateway.ask({ op: 'FEES' })).body);
  const estimates = await ask();
  assert.deepEqual(estimates[0], { targetBlocks: 2, satoshisPerKvB: 5000 });
  assert.equal(estimates.length, 7);
  const asked = gateway.calls.length;
  assert.deepEqual(await ask(), estimates);
  assert.equal(gateway.calls.length, asked);
  gateway.nowMs += 60_000;
  await ask();
  assert.equal(gateway.calls.length, 2 * asked);
});

test('INFO names the software and the protocol of the target', async () => {
  const { body } = await shared.ask({ op: 'INFO' });
  assert.deepEqual(decodeInfoBody(body), {
    software: 'sotto/test',
    electrum: '1.6',
    capabilities: 0,
  });
});

test('an op that this version does not know is unsupported', async () => {
  assert.equal((await shared.askRaw(8, null)).code, 'UNSUPPORTED');
  assert.equal((await shared.askRaw(65_535, new Map())).code, 'UNSUPPORTED');
});

test('args that are not those of the op are a bad request', async () => {
  const requests: readonly (readonly [number, Cbor])[] = [
    [0, new Map()],
    [1, null],
    [1, new Map<number, Cbor>([[1, new Uint8Array(31)]])],
    [2, new Map<number, Cbor>([[2, new Uint8Array(32)]])],
    [3, 'text'],
    [5, new Map<number, Cbor>([[1, new Uint8Array(32)]])],
    [7, 1],
  ];
  for (const [op, args] of requests) {
    assert.equal((await shared.askRaw(op, args)).code, 'BAD_REQUEST', String(op));
  }
});

test('a transaction that the target does not have is not found', async () => {
  assert.equal((await shared.ask({ op: 'TX', txid: 'ab'.repeat(32) })).code, 'NOT_FOUND');
});
