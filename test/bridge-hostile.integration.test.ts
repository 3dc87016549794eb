import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import type { LogFields, Logger } from '../src/base/log.ts';
import { silent } from '../src/base/log.ts';
import type { Bridge } from '../src/bridge/start-bridge.ts';
import { type EmbeddedChain, startEmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { purseOf } from '../src/devnet/purse.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { connectRaw, type RawWallet } from './raw-wallet.ts';
import { startTestBridge } from './test-bridge.ts';

const SEED = new Uint8Array(32).fill(13);
const { signal } = new AbortController();
const scope = new Scope();
const log: string[] = [];
let devnet: EmbeddedChain;
let bridge: Bridge;
let victim: RawWallet;

const note = (message: string, fields?: LogFields): void =>
  void log.push(JSON.stringify([message, fields]));
const notes: Logger = { debug: note, info: note, warn: note, error: note };
const purse = purseOf(SEED, 'purse');
const subscribe = (scripthash: string): string =>
  JSON.stringify({ id: 1, method: 'blockchain.scripthash.subscribe', params: [scripthash] });

beforeAll(async () => {
  devnet = scope.use(
    await startEmbeddedChain({ seed: SEED, clock: Date.now, port: 0, log: silent }),
  );
  await devnet.pay(purse.address, 50_000n);
  bridge = scope.use(await startTestBridge(devnet.electrum, { log: notes }));
  victim = scope.use(await connectRaw(bridge.address));
  await victim.ask('{"id":0,"method":"server.version","params":["victim","1.4"]}', 10_000);
  await victim.ask(subscribe(purse.scriptHash), 30_000);
});

afterAll(() => scope[Symbol.asyncDispose]());

/** The wallet that was there before is still served. */
async function isUnharmed(): Promise<void> {
  assert.deepEqual(await victim.ask('{"id":"ping","method":"server.ping"}', 10_000), {
    jsonrpc: '2.0',
    id: 'ping',
    result: null,
  });
}

async function allGone(): Promise<void> {
  const alone = (): boolean | undefined => bridge.status().connections === 1 || undefined;
  await waitUntil(alone, { what: 'all others to go', timeoutMs: 20_000, intervalMs: 20, signal });
}

function url(): string {
  return `http://${bridge.address.host}:${bridge.address.port}/`;
}

test('a web page can neither ask the bridge anything nor hear of it', async () => {
  const { watched } = bridge.status().watching;
  const body = `\n${subscribe('cd'.repeat(32))}\n`;
  for (const request of [
    {},
    { method: 'POST', body },
    { method: 'POST', body, headers: { 'content-type': 'application/json' } },
    { method: 'OPTIONS' },
  ]) {
    await assert.rejects(fetch(url(), request), TypeError);
  }
  await using socket = await connectRaw(bridge.address);
  const upgrade = 'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r';
  await assert.rejects(socket.ask(upgrade, 10_000), /closed the connection/);
  await allGone();
  assert.equal(bridge.status().watching.watched, watched);
  const refusals = log.filter((line) => line.includes('does not begin as wallets do'));
  assert.equal(refusals.length, 1);
  await isUnharmed();
});

test('a line that does not end is cut off', async () => {
  await using hostile = await connectRaw(bridge.address);
  const piece = Buffer.alloc(100_000, 'x');
  hostile.stream.write('{');
  for (let sent = 0; sent < 15; sent += 1) hostile.stream.write(piece);
  await hostile.closed;
  assert.ok(log.some((line) => line.includes('a line too long')));
  await isUnharmed();
});

test('a wallet that asks and asks, and reads nothing, is disconnected', async () => {
  await using hostile = await connectRaw(bridge.address);
  const question = '{"id":1,"method":"blockchain.block.headers","params":[0,2016]}\n';
  hostile.stream.write(question.repeat(5_000));
  await isUnharmed();
  await allGone();
  assert.ok(log.some((line) => line.includes('it leaves too much unread')));
  await isUnharmed();
});

test('a wallet that floods with small questions slows the others down, and no more', async () => {
  await using hostile = await connectRaw(bridge.address);
  hostile.stream.resume();
  const pings = '{"id":1,"method":"server.ping"}\n'.repeat(20_000);
  hostile.stream.write(pings);
  await isUnharmed();
  await isUnharmed();
});

test('a thousand connections that say nothing keep no wallet out', async () => {
  await using opening = new Scope();
  const many = await Promise.all(Array.from({ length: 1_000 }, () => connectRaw(bridge.address)));
  for (const one of many) opening.use(one);
  assert.ok(bridge.status().connections <= 101);
  await isUnharmed();
  await using late = await connectRaw(bridge.address);
  const reply = await late.ask('{"id":5,"method":"server.ping"}', 10_000);
  assert.deepEqual(reply, { jsonrpc: '2.0', id: 5, result: null });
});

test('a hundred wallets are served, and one more is turned away', async () => {
  await allGone();
  await using opening = new Scope();
  const ping = '{"id":1,"method":"server.ping"}';
  for (let wallets = 1; wallets < 100; wallets += 1) {
    await opening.use(await connectRaw(bridge.address)).ask(ping, 10_000);
  }
  assert.equal(bridge.status().wallets, 100);
  const extra = opening.use(await connectRaw(bridge.address));
  await assert.rejects(extra.ask(ping, 10_000), /closed the connection/);
  await isUnharmed();
});

test('a wallet that sends garbage is disconnected', async () => {
  await allGone();
  await using hostile = await connectRaw(bridge.address);
  hostile.stream.resume();
  for (let line = 0; line < 10; line += 1) hostile.write('{');
  await hostile.closed;
  assert.ok(log.some((line) => line.includes('too many errors')));
  await isUnharmed();
});

test('the log holds no scripthash, and no line a hundred times', () => {
  assert.ok(
    log.every((line) => !/[0-9a-f]{40}/.test(line)),
    log.join('\n'),
  );
  const counts = log.map((line) => log.filter((other) => other === line).length);
  assert.ok(Math.max(...counts) <= 3);
});
