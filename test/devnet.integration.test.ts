import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'vitest';
import { fromHex } from '../src/base/bytes.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { parseHeader } from '../src/bitcoin/block-header.ts';
import { parseTransaction } from '../src/bitcoin/transaction.ts';
import { startEmbeddedChain, type EmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { fundWallet, type WalletAddress } from '../src/devnet/wallet.ts';
import { type ElectrumClient, startElectrumClient } from '../src/electrum/client.ts';
import { historyStatus } from '../src/electrum/history-status.ts';
import { foldBranch } from '../src/electrum/merkle.ts';
import { lineStream } from '../src/io/line-stream.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';

const SEED = new Uint8Array(32).fill(5);
const NEVER = new AbortController().signal;

function start(): Promise<EmbeddedChain> {
  return startEmbeddedChain({ seed: SEED, clock: Date.now, port: 0, log: silent });
}

async function clientOf({ electrum }: EmbeddedChain): Promise<ElectrumClient> {
  return await startElectrumClient({
    dial: (signal) => loopbackDial(electrum, { signal, isolation: '' }),
    clientName: 'test',
    timeoutMs: 10_000,
    log: silent,
    signal: NEVER,
  });
}

/** What a wallet does for one address; every answer is checked against the headers. */
async function syncAddress(client: ElectrumClient, { scriptHash }: WalletAddress): Promise<number> {
  const script = { scripthash: scriptHash };
  const [status, history] = await Promise.all([
    client.call('blockchain.scripthash.subscribe', script),
    client.call('blockchain.scripthash.get_history', script),
  ]);
  const items = history.map(({ tx_hash, height }) => ({ txid: tx_hash, height }));
  assert.equal(status, historyStatus(items));
  await Promise.all(items.map((item) => syncTransaction(client, item)));
  return items.length;
}

async function syncTransaction(
  client: ElectrumClient,
  { txid, height }: { readonly txid: string; readonly height: number },
): Promise<void> {
  const raw = await client.call('blockchain.transaction.get', { tx_hash: txid });
  assert.equal(parseTransaction(fromHex(raw as string)).txid, txid);
  if (height <= 0) return;
  const [proof, header] = await Promise.all([
    client.call('blockchain.transaction.get_merkle', { tx_hash: txid, height }),
    client.call('blockchain.block.header', { height }),
  ]);
  assert.equal(
    foldBranch({ txid, position: proof.pos, branch: proof.merkle }),
    parseHeader(fromHex(header as string)).merkleRoot,
  );
}

test('a wallet of 100 addresses and one of 200 transactions verify over a socket', async () => {
  await using scope = new Scope();
  const backend = scope.use(await start());
  const wallet = await fundWallet(backend, { seed: SEED, addresses: 100, busiest: 200 });
  const client = scope.use(await clientOf(backend));
  const counts = await Promise.all(wallet.map((address) => syncAddress(client, address)));
  assert.equal(counts[0], 200);
  assert.equal(
    counts.reduce((total, count) => total + count, 0),
    wallet.reduce((total, { txids }) => total + txids.length, 0),
  );
});

test('what a client was told stays true through payments, blocks and reorganisations', async () => {
  await using scope = new Scope();
  const backend = scope.use(await start());
  const wallet = await fundWallet(backend, { seed: SEED, addresses: 6 });
  const client = scope.use(await clientOf(backend));
  const told = new Map<string, string | null>();
  client.on('blockchain.scripthash.subscribe', ([scriptHash, status]) => {
    told.set(scriptHash, status);
  });
  for (const { scriptHash } of wallet) {
    told.set(
      scriptHash,
      await client.call('blockchain.scripthash.subscribe', { scripthash: scriptHash }),
    );
  }
  const [first, second] = wallet.map(({ address }) => address);
  for (const act of [
    () => backend.pay(first ?? '', 10_000n),
    () => backend.pay(second ?? '', 20_000n),
    () => backend.mine(1),
    () => backend.reorg(3),
    () => backend.mine(2),
  ]) {
    await act();
    await client.call('server.ping', {});
    for (const address of wallet) {
      assert.equal(told.get(address.scriptHash), backend.chain.ledger.status(address.scriptHash));
      await syncAddress(client, address);
    }
  }
});

/** The calls of Electrum 4.3.4 when it starts, as they were seen on the wire, up to the addresses. */
const ELECTRUM_CALLS: readonly (readonly [method: string, params?: readonly unknown[]])[] = [
  ['server.version', ['electrum/4.3.4', '1.4']],
  ['blockchain.headers.subscribe'],
  ['blockchain.estimatefee', [25]],
  ['blockchain.estimatefee', [10]],
  ['blockchain.estimatefee', [5]],
  ['blockchain.estimatefee', [2]],
  ['server.banner'],
  ['server.donation_address'],
  ['server.peers.subscribe'],
  ['blockchain.relayfee'],
  ['mempool.get_fee_histogram'],
];

test('Electrum 4.3.4 gets the answers that it accepts, all in one burst', async () => {
  await using scope = new Scope();
  const backend = scope.use(await start());
  const wallet = await fundWallet(backend, { seed: SEED, addresses: 30 });
  const socket = connect(backend.electrum.port, backend.electrum.host);
  await once(socket, 'connect');
  const lines = lineStream(socket, 1_000_000);
  const calls = [
    ...ELECTRUM_CALLS,
    ...wallet.map(({ scriptHash }) => ['blockchain.scripthash.subscribe', [scriptHash]] as const),
  ];
  for (const [id, [method, params]] of calls.entries()) {
    // Electrum leaves `params` out when there are none.
    await lines.write(JSON.stringify({ jsonrpc: '2.0', method, id, ...(params && { params }) }));
  }
  const results = new Map<number, unknown>();
  for await (const line of lines.lines) {
    const reply = JSON.parse(line) as { jsonrpc: string; id: number; result: unknown };
    assert.deepEqual(Object.keys(reply), ['jsonrpc', 'id', 'result']);
    results.set(reply.id, reply.result);
    if (results.size === calls.length) break;
  }
  const { tip } = backend.chain;
  const [version, header, fee, , , , banner, donation, peers, relayFee, histogram] = calls.map(
    (_, id) => results.get(id),
  );
  assert.equal((version as string[])[1], '1.4');
  assert.deepEqual(header, { hex: tip.headerHex, height: tip.height });
  assert.equal(typeof fee, 'number');
  assert.equal(typeof banner, 'string');
  assert.equal(donation, '');
  assert.deepEqual(peers, []);
  assert.equal(relayFee, 0.000_001);
  assert.equal((histogram as unknown[]).length, 1);
  for (const [index, { scriptHash }] of wallet.entries()) {
    assert.equal(
      results.get(ELECTRUM_CALLS.length + index),
      backend.chain.ledger.status(scriptHash),
    );
  }
});
