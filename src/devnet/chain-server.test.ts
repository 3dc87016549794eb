import assert from 'node:assert/strict';
import { test } from 'vitest';
import { fromHex } from '../base/bytes.ts';
import { silent } from '../base/log.ts';
import { parseTransaction } from '../bitcoin/transaction.ts';
import { type ElectrumClient, startElectrumClient } from '../electrum/client.ts';
import { foldBranch } from '../electrum/merkle.ts';
import type { ProtocolVersion } from '../electrum/protocol-version.ts';
import { ElectrumRpcError } from '../electrum/rpc-error.ts';
import { loopbackDial } from '../io/loopback-dial.ts';
import { RegtestChain } from './chain.ts';
import { type ServerObservation, startChainServer } from './chain-server.ts';
import { type Coin, purseOf, signPayment } from './purse.ts';

const SEED = new Uint8Array(32).fill(2);
const NOW = Date.parse('2026-11-22T08:00:00Z');
const ALICE = purseOf(SEED, 'alice');
const BOB = purseOf(SEED, 'bob');
const NEVER = new AbortController().signal;

interface Fixture extends AsyncDisposable {
  readonly chain: RegtestChain;
  readonly client: ElectrumClient;
  readonly seen: readonly ServerObservation[];
}

async function serve(protocol: ProtocolVersion = '1.6', blocks = 101): Promise<Fixture> {
  const chain = new RegtestChain({ seed: SEED, clock: () => NOW });
  chain.mine(blocks);
  const seen: ServerObservation[] = [];
  const server = await startChainServer({
    chain,
    host: '127.0.0.1',
    port: 0,
    log: silent,
    observe: (observation) => seen.push(observation),
  });
  const client = await startElectrumClient({
    dial: (signal) => loopbackDial(server, { signal, isolation: '' }),
    clientName: 'test',
    protocol: { min: protocol, max: protocol },
    timeoutMs: 5_000,
    log: silent,
    signal: NEVER,
  });
  return {
    chain,
    client,
    seen,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Pays Alice in a block of its own and returns what she can spend. */
function fund(chain: RegtestChain, sats: bigint): Coin {
  chain.pay(ALICE.script, sats);
  chain.mine(1);
  const [coin] = chain.ledger.unspent(ALICE.scriptHash);
  assert.ok(coin);
  return coin;
}

/** The words of the refusal. */
async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ElectrumRpcError);
    return `${error.code} ${error.message}`;
  }
  return 'not refused';
}

test('a history, its transactions and their proofs agree with the headers', async () => {
  await using fixture = await serve();
  const { chain, client } = fixture;
  for (let paid = 0; paid < 7; paid += 1) {
    chain.pay(ALICE.script, 10_000n);
    if (paid % 3 === 2) chain.mine(1);
  }
  const script = { scripthash: ALICE.scriptHash };
  const history = await client.call('blockchain.scripthash.get_history', script);
  assert.equal(history.length, 7);
  for (const { tx_hash, height } of history.slice(0, 6)) {
    const { merkle, pos } = await client.call('blockchain.transaction.get_merkle', {
      tx_hash,
      height,
    });
    const root = foldBranch({ txid: tx_hash, position: pos, branch: merkle });
    assert.equal(root, chain.blocks[height]?.tree.root);
    const byPosition = await client.call('blockchain.transaction.id_from_pos', {
      height,
      tx_pos: pos,
      merkle: true,
    });
    assert.deepEqual(byPosition, { tx_hash, merkle });
    const raw = await client.call('blockchain.transaction.get', { tx_hash });
    assert.equal(parseTransaction(fromHex(raw as string)).txid, tx_hash);
  }
  assert.deepEqual(
    await client.call('blockchain.scripthash.get_mempool', script),
    history.slice(6),
  );
  assert.deepEqual(await client.call('blockchain.scripthash.get_balance', script), {
    confirmed: 60_000,
    unconfirmed: 10_000,
  });
  const unspent = await client.call('blockchain.scripthash.listunspent', script);
  assert.equal(unspent.length, 7);
});

test('headers come as one text before 1.6 and as a list from 1.6 on', async () => {
  for (const protocol of ['1.4', '1.6'] as const) {
    await using fixture = await serve(protocol);
    const { chain, client } = fixture;
    const headers = chain.blocks.slice(98).map(({ headerHex }) => headerHex);
    assert.deepEqual(
      await client.call('blockchain.block.headers', { start_height: 98, count: 50 }),
      protocol === '1.4'
        ? { count: 4, max: 2016, hex: headers.join('') }
        : { count: 4, max: 2016, headers },
    );
    const past = await client.call('blockchain.block.headers', { start_height: 500, count: 1 });
    assert.equal(past.count, 0);
  }
});

test('a header is proved to be below a checkpoint', async () => {
  await using fixture = await serve();
  const { chain, client } = fixture;
  const proved = await client.call('blockchain.block.header', { height: 5, cp_height: 77 });
  assert.ok(typeof proved === 'object');
  const leaf = { txid: chain.blocks[5]?.hash ?? '', position: 5, branch: proved.branch };
  assert.equal(foldBranch(leaf), proved.root);
  const many = await client.call('blockchain.block.headers', {
    start_height: 3,
    count: 3,
    cp_height: 77,
  });
  assert.deepEqual([many.branch, many.root], [proved.branch, proved.root]);
  chain.reorg(40);
  const after = await client.call('blockchain.block.header', { height: 5, cp_height: 77 });
  assert.notEqual((after as typeof proved).root, proved.root);
  assert.match(
    await refusal(client.call('blockchain.block.header', { height: 5, cp_height: 1000 })),
    /^1 header height 5 must be <= cp_height 1000 which must be <= chain height 102$/,
  );
});

test('subscribers hear of payments, blocks and reorganisations, and only of changes', async () => {
  await using fixture = await serve();
  const { chain, client } = fixture;
  const heard: string[] = [];
  client.on('blockchain.headers.subscribe', ([{ height }]) => heard.push(`tip ${height}`));
  client.on('blockchain.scripthash.subscribe', ([scriptHash, status]) => {
    assert.equal(status, chain.ledger.status(scriptHash));
    heard.push(scriptHash === ALICE.scriptHash ? 'alice' : 'bob');
  });
  await client.call('blockchain.headers.subscribe', {});
  const first = await client.call('blockchain.scripthash.subscribe', {
    scripthash: ALICE.scriptHash,
  });
  assert.equal(first, null);
  await client.call('blockchain.scripthash.subscribe', { scripthash: BOB.scriptHash });
  chain.pay(ALICE.script, 10_000n);
  await client.call('server.ping', {});
  chain.mine(1);
  await client.call('server.ping', {});
  chain.mine(1);
  await client.call('server.ping', {});
  chain.reorg(2);
  await client.call('server.ping', {});
  await client.call('blockchain.scripthash.unsubscribe', { scripthash: ALICE.scriptHash });
  chain.pay(ALICE.script, 10_000n);
  await client.call('server.ping', {});
  assert.deepEqual(heard, ['alice', 'tip 102', 'alice', 'tip 103', 'tip 104', 'alice']);
});

test('a signed transaction is broadcast, and its child waits with it', async () => {
  await using fixture = await serve();
  const { chain, client } = fixture;
  const coin = fund(chain, 100_000n);
  const parent = signPayment(ALICE, {
    coins: [coin],
    outputs: [{ script: BOB.script, amount: 50_000n }],
  });
  const child = signPayment(BOB, {
    coins: [{ txid: parent.txid, vout: 0, value: 50_000n }],
    outputs: [{ script: ALICE.script, amount: 40_000n }],
  });
  const packaged = await client.call('blockchain.transaction.broadcast_package', {
    raw_txs: [parent.hex, child.hex],
  });
  assert.deepEqual(packaged, { success: true });
  const again = await client.call('blockchain.transaction.broadcast', { raw_tx: child.hex });
  assert.equal(again, child.txid);
  const history = await client.call('blockchain.scripthash.get_history', {
    scripthash: BOB.scriptHash,
  });
  assert.deepEqual(
    history.map(({ tx_hash, height }) => [tx_hash, height]),
    [
      [parent.txid, 0],
      [child.txid, -1],
    ],
  );
  const [bin] = await client.call('mempool.get_fee_histogram', {});
  assert.deepEqual(bin, [2, parent.vsize + child.vsize]);
  chain.mine(1);
  assert.equal(chain.ledger.mempool.size, 0);
  assert.match(
    await refusal(client.call('blockchain.transaction.broadcast', { raw_tx: child.hex })),
    /^1 the transaction was rejected by network rules\.\s+Transaction outputs already in utxo set\s$/,
  );
});

test('a transaction of 20 kB is broadcast', async () => {
  await using fixture = await serve();
  const { chain, client } = fixture;
  const outputs = Array.from({ length: 650 }, () => ({ script: BOB.script, amount: 1_000n }));
  const large = signPayment(ALICE, { coins: [fund(chain, 1_000_000n)], outputs });
  assert.ok(large.raw.length > 20_000);
  await client.call('blockchain.transaction.broadcast', { raw_tx: large.hex });
  chain.mine(1);
  assert.equal(chain.tip.transactions[1]?.txid, large.txid);
});

test('a replacement that pays more pushes the payment and its children out', async () => {
  await using fixture = await serve();
  const { chain, client } = fixture;
  const coins = [fund(chain, 100_000n)];
  const pay = (amount: bigint): ReturnType<typeof signPayment> =>
    signPayment(ALICE, { coins, outputs: [{ script: BOB.script, amount }] });
  const cheap = pay(50_000n);
  // No change is left, so that all of the rest is the fee.
  const dear = pay(99_500n);
  await client.call('blockchain.transaction.broadcast', { raw_tx: cheap.hex });
  const same = await refusal(
    client.call('blockchain.transaction.broadcast', { raw_tx: pay(50_001n).hex }),
  );
  assert.match(same, /insufficient fee, rejecting replacement/);
  await client.call('blockchain.transaction.broadcast', { raw_tx: dear.hex });
  assert.deepEqual([...chain.ledger.mempool.keys()], [dear.txid]);
});

test('what the rules forbid is refused in the words of Bitcoin Core', async () => {
  await using fixture = await serve();
  const { chain, client } = fixture;
  const coin = fund(chain, 100_000n);
  const to = (amount: bigint, from = coin): string =>
    signPayment(ALICE, { coins: [from], outputs: [{ script: BOB.script, amount }] }).hex;
  const send = (raw_tx: string): Promise<string> =>
    refusal(client.call('blockchain.transaction.broadcast', { raw_tx }));
  const good = to(50_000n);
  assert.match(await send('00'), /TX decode failed/);
  assert.match(await send(`${good}00`), /TX decode failed/);
  assert.match(await send(chain.tip.transactions[0]?.hex ?? ''), /already in utxo set/);
  assert.match(await send(to(50_000n, { ...coin, vout: 9 })), /bad-txns-inputs-missingorspent/);
  assert.match(await send(to(200n)), /rules\.\s+dust, tx with dust output must be 0-fee\s/);
  assert.match(
    await send(to(150_000n, { ...coin, value: 200_000n })),
    /bad-txns-in-belowout, value in \(0.001\) < value out/,
  );
  assert.match(await send(to(50_000n, { ...coin, value: 99_900n })), /script-verify-flag-failed/);
  const [{ txid: reward } = { txid: '' }] = chain.tip.transactions;
  assert.match(
    await send(to(50_000n, { txid: reward, vout: 0, value: 5_000_000_000n })),
    /bad-txns-premature-spend-of-coinbase, tried to spend coinbase at depth 1/,
  );
});

test('a verbose transaction is what bitcoind shows', async () => {
  await using fixture = await serve();
  const { chain, client } = fixture;
  const { txid } = fund(chain, 123_456n);
  const verbose = (await client.call('blockchain.transaction.get', {
    tx_hash: txid,
    verbose: true,
  })) as Record<string, unknown> & { vout: Record<string, unknown>[] };
  assert.equal(verbose['txid'], txid);
  assert.equal(verbose['confirmations'], 1);
  assert.equal(verbose['blockhash'], chain.tip.hash);
  assert.equal(verbose['blocktime'], chain.tip.time);
  assert.deepEqual(verbose.vout[0], {
    value: 0.00123456,
    n: 0,
    scriptPubKey: {
      asm: `0 ${Buffer.from(ALICE.script.subarray(2)).toString('hex')}`,
      hex: Buffer.from(ALICE.script).toString('hex'),
      address: ALICE.address,
      type: 'witness_v0_keyhash',
    },
  });
});

test('what is not there is refused in the words of Fulcrum', async () => {
  await using fixture = await serve();
  const { client } = fixture;
  const tx_hash = 'ab'.repeat(32);
  assert.match(
    await refusal(client.call('blockchain.transaction.get', { tx_hash })),
    /^2 daemon error: DaemonError\(\{'code': -5, 'message': 'No such mempool or blockchain/,
  );
  assert.equal(
    await refusal(client.call('blockchain.transaction.get_merkle', { tx_hash, height: 3 })),
    '1 No transaction matching the requested hash found at height 3',
  );
  assert.equal(
    await refusal(client.call('blockchain.transaction.id_from_pos', { height: 3, tx_pos: 7 })),
    '1 No transaction at position 7 for height 3',
  );
  assert.equal(
    await refusal(client.call('blockchain.block.header', { height: 3_000 })),
    '1 Height 3000 is out of range',
  );
});

test('the observer is told what the server is asked, by connection', async () => {
  await using fixture = await serve();
  await fixture.client.call('blockchain.scripthash.get_history', { scripthash: ALICE.scriptHash });
  assert.deepEqual(fixture.seen, [
    {
      connection: 1,
      method: 'blockchain.scripthash.get_history',
      params: { scripthash: ALICE.scriptHash },
    },
  ]);
});
