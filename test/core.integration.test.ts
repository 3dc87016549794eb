import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { fromHex, toHex } from '../src/base/bytes.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { parseTransaction } from '../src/bitcoin/transaction.ts';
import type { ChainBackend } from '../src/devnet/chain-backend.ts';
import { startCoreChain } from '../src/devnet/core-chain.ts';
import { type Coin, type Purse, purseOf, signPayment } from '../src/devnet/purse.ts';
import { fundWallet, type WalletAddress } from '../src/devnet/wallet.ts';
import { type ElectrumClient, startElectrumClient } from '../src/electrum/client.ts';
import type { Address, Dial } from '../src/io/dial.ts';
import { findProgram } from '../src/io/find-program.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import type { Answered } from '../src/lookup/ask.ts';
import { broadcastInParts } from '../src/lookup/broadcast.ts';
import { fetchHistory } from '../src/lookup/fetch-history.ts';
import { LookupError } from '../src/lookup/fault.ts';
import type { Lookup, VerifiedHistory } from '../src/lookup/lookup.ts';
import { openDirectLookup } from '../src/lookup/open-direct-lookup.ts';
import { type CheckedHistory, verifyHistory } from '../src/lookup/verify-history.ts';
import { electrumHandler } from '../src/node/electrum-handler.ts';
import { followHeaders, type FollowedHeaders } from '../src/electrum/follow-headers.ts';
import { decodeFeesBody, decodeInfoBody, decodeRejectionBody } from '../src/query/bodies.ts';
import { encodeQuery, type Query } from '../src/query/query.ts';
import { splitUpload } from '../src/query/upload.ts';
import type { GatewayHandler } from '../src/relay/gateway-handler.ts';
import type { Reply } from '../src/relay/message.ts';

const PROGRAMS = ['bitcoind', 'Fulcrum'];
const found = await Promise.all(PROGRAMS.map((name) => findProgram(name)));
const missing = PROGRAMS.filter((_, index) => found[index] === undefined);

const SEED = new Uint8Array(32).fill(6);
const BUSIEST = 30;
const { signal } = new AbortController();
// One signal ends many questions at once: that is no leak.
setMaxListeners(0, signal);
const wallets = { seed: SEED, addresses: 12, busiest: BUSIEST };
const purse = purseOf(SEED, 'purse');

describe.skipIf(missing.length > 0)(
  missing.length === 0
    ? 'over bitcoind and Fulcrum'
    : `SKIPPED because ${missing.join(' and ')} cannot be found on PATH: over bitcoind and Fulcrum`,
  () => {
    const scope = new Scope();
    let core: ChainBackend;
    let wallet: readonly WalletAddress[];
    let client: ElectrumClient;
    let headers: FollowedHeaders;
    let handler: GatewayHandler;
    let direct: Lookup;

    beforeAll(async () => {
      const { path } = scope.use(await makeTemporaryDirectory());
      core = scope.use(
        await startCoreChain({ directory: join(path, 'core'), port: 0, log: silent, signal }),
      );
      wallet = await fundWallet(core, wallets);
      client = scope.use(await clientOf(core.electrum));
      const clock = Date.now;
      const network = 'regtest';
      headers = scope.use(await followHeaders({ client, network, clock, log: silent, signal }));
      handler = electrumHandler({ client, headers, clock, software: 'test' });
      const dial: Dial = (_, options) => loopbackDial(core.electrum, options);
      const server = { host: 'own.onion', port: 50_001 };
      const directory = join(path, 'client');
      direct = scope.use(
        await openDirectLookup({ network, server, directory, dial, clock, log: silent, signal }),
      );
    }, 120_000);

    afterAll(() => scope[Symbol.asyncDispose]());

    function ask(query: Query): Promise<Reply> {
      return handler(encodeQuery(query), { signal });
    }

    async function put(query: Query): Promise<Answered> {
      const reply = await ask(query);
      assert.equal(reply.code, 'OK');
      const [request, signed] = [new Uint8Array(), new Uint8Array()];
      return { reply, relay: '', evidence: { nodeId: '', request, reply: signed } };
    }

    function directly(scriptHash: string): Promise<VerifiedHistory> {
      return direct.history(scriptHash, { signal });
    }

    /** What a client reads from the gateway, verified by the headers. */
    async function byGateway(scriptHash: string): Promise<CheckedHistory> {
      const { claim, tip } = await fetchHistory(scriptHash, put);
      await headers.reach(tip.height, { signal });
      return verifyHistory(claim, headers.chain);
    }

    async function payTo({ address, script }: Purse, sats: bigint): Promise<Coin> {
      const txid = await core.pay(address, sats);
      const raw = await client.call('blockchain.transaction.get', { tx_hash: txid });
      const { outputs } = parseTransaction(fromHex(raw as string));
      const vout = outputs.findIndex((output) => toHex(output.script) === toHex(script));
      return { txid, vout, value: sats };
    }

    test('a funded wallet is looked up directly and all of it is verified', async () => {
      const histories = await Promise.all(wallet.map(({ scriptHash }) => directly(scriptHash)));
      for (const [index, { use, txids }] of wallet.entries()) {
        const entries = histories[index]?.entries ?? [];
        assert.deepEqual(new Set(entries.map(({ txid }) => txid)), new Set(txids));
        assert.equal(entries.length, txids.length);
        assert.ok(entries.every(({ proved }) => proved === (use !== 'mempool')));
      }
      assert.equal(histories[0]?.entries.length, BUSIEST);
      assert.equal(histories.at(-1)?.status, null);
      assert.ok((histories.at(-2)?.unconfirmed ?? 0n) > 0n);
    });

    test('a gateway answers the same, in pages that fit their cells', async () => {
      for (const { scriptHash } of wallet) {
        const history = await directly(scriptHash);
        assert.deepEqual(await byGateway(scriptHash), withoutSource(history));
      }
    });

    test('a gateway answers the other questions', async () => {
      const info = decodeInfoBody((await ask({ op: 'INFO' })).body);
      assert.equal(info.electrum, '1.6');
      const { code, body } = await ask({ op: 'FEES' });
      assert.equal(code, 'OK');
      assert.ok(Array.isArray(decodeFeesBody(body)));
      const [{ scriptHash } = { scriptHash: '' }] = wallet;
      assert.equal((await ask({ op: 'UNSPENT', scriptHash })).code, 'OK');
      assert.equal((await ask({ op: 'STATUS', scriptHash })).code, 'OK');
      assert.equal((await ask({ op: 'NOOP' })).code, 'OK');
      assert.equal((await ask({ op: 'TX', txid: '00'.repeat(32) })).code, 'NOT_FOUND');
    });

    test('lookups and what a client was told survive payments, blocks and a reorganisation', async () => {
      const [{ scriptHash, address } = purse] = wallet;
      const told: (string | null)[] = [];
      client.on('blockchain.scripthash.subscribe', ([of, status]) => {
        if (of === scriptHash) told.push(status);
      });
      const before = await directly(scriptHash);
      const script = { scripthash: scriptHash };
      await client.call('blockchain.scripthash.subscribe', script);
      const txid = await core.pay(address, 12_345n);
      const acts: [string, () => Promise<unknown>, boolean][] = [
        ['paid', () => Promise.resolve(), false],
        ['mined', () => core.mine(1), true],
        ['buried', () => core.mine(2), true],
        ['reorganised', () => core.reorg(4), false],
        ['mined again', () => core.mine(1), true],
      ];
      for (const [what, act, confirmed] of acts) {
        await act();
        const history = await directly(scriptHash);
        const entry = history.entries.find((each) => each.txid === txid);
        assert.equal(entry?.proved, confirmed, what);
        assert.equal(history.entries.length, before.entries.length + 1);
        assert.deepEqual(await byGateway(scriptHash), withoutSource(history), what);
        await waitUntil(() => told.at(-1) === history.status || undefined, {
          what: 'a notification',
          timeoutMs: 5000,
          intervalMs: 20,
          signal,
        });
      }
    });

    test('a transaction of 20 kB arrives in parts', async () => {
      const coin = await payTo(purse, 2_000_000n);
      const outputs = Array.from({ length: 650 }, () => ({ script: purse.script, amount: 600n }));
      const { raw, txid } = signPayment(purse, { coins: [coin], outputs });
      assert.ok(raw.length > 20_000);
      assert.equal(await broadcastInParts(raw, put), txid);
      assert.equal(await direct.broadcast(raw, { signal }), txid);
      await core.mine(1);
      const { entries, unspent } = await directly(purse.scriptHash);
      assert.ok(entries.some((entry) => entry.txid === txid && entry.proved));
      assert.ok(unspent.length >= 650);
    });

    test('a transaction that bitcoind refuses is refused in its words', async () => {
      const coin = await payTo(purse, 100_000n);
      const { raw } = signPayment(purse, { coins: [{ ...coin, vout: 9 }], outputs: [] });
      await assert.rejects(
        direct.broadcast(raw, { signal }),
        (error) => error instanceof LookupError && error.code === 'server-error',
      );
      const [part] = splitUpload(raw);
      assert.ok(part);
      const { code, body } = await ask(part);
      assert.equal(code, 'TX_REJECTED');
      assert.equal(decodeRejectionBody(body), 'bad-txns-inputs-missingorspent');
    });
  },
);

/** What does not depend on who was asked. */
function withoutSource(history: VerifiedHistory): CheckedHistory {
  const { scriptHash, status, entries, confirmed, unconfirmed, unspent } = history;
  return { scriptHash, status, entries, confirmed, unconfirmed, unspent };
}

function clientOf(server: Address): Promise<ElectrumClient> {
  return startElectrumClient({
    dial: (dialing) => loopbackDial(server, { signal: dialing, isolation: '' }),
    clientName: 'test',
    timeoutMs: 10_000,
    log: silent,
    signal,
  });
}
