import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { type Logger, silent } from '../src/base/log.ts';
import { RegtestChain } from '../src/devnet/chain.ts';
import { startChainServer } from '../src/devnet/chain-server.ts';
import { startElectrumClient } from '../src/electrum/client.ts';
import { scriptHashOf } from '../src/electrum/script-hash.ts';
import type { Address } from '../src/io/dial.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { lineStream } from '../src/io/line-stream.ts';
import { listenTcp, type TcpServer } from '../src/io/listen.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { startGuard } from '../src/node/guard.ts';
import type { GuardLimits } from '../src/node/guard-limits.ts';

const NEVER = new AbortController().signal;
const SCRIPT = Uint8Array.of(0, 20, ...new Uint8Array(20).fill(7));
const SCRIPT_HASH = scriptHashOf(SCRIPT);
const scope = new Scope();

afterEach(async () => {
  await scope[Symbol.asyncDispose]();
});

interface GuardOptions {
  readonly target: Address;
  readonly limits?: Partial<GuardLimits>;
  readonly expectProxyHeader?: boolean;
  readonly log?: Logger;
}

async function guard(options: GuardOptions): Promise<TcpServer> {
  const [port = 0] = await findFreePorts(1);
  const { target, limits = {}, expectProxyHeader = false, log = silent } = options;
  const config = { listen: { host: '127.0.0.1', port }, target, expectProxyHeader };
  return scope.use(await startGuard(config, { clock: Date.now, log, limits }));
}

async function chainTarget(): Promise<{ chain: RegtestChain; target: TcpServer }> {
  const chain = new RegtestChain({ seed: new Uint8Array(32), clock: Date.now });
  chain.mine(101);
  const options = { chain, host: '127.0.0.1', port: 0, log: silent };
  return { chain, target: scope.use(await startChainServer(options)) };
}

interface FakeTarget extends TcpServer {
  readonly connections: Duplex[];
  readonly lines: string[];
}

/** Keeps what it is sent, and answers each line when told how. */
async function fakeTarget(answer?: (id: number) => string): Promise<FakeTarget> {
  const connections: Duplex[] = [];
  const lines: string[] = [];
  const server = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 100,
    onConnection: (stream) => {
      connections.push(stream);
      void (async () => {
        for await (const line of lineStream(stream, 10_000_000).lines) {
          lines.push(line);
          if (answer) stream.write(answer((JSON.parse(line) as { id: number }).id));
        }
      })();
    },
  });
  return scope.use({ ...server, connections, lines });
}

const pong = (id: number): string => `${JSON.stringify({ id, result: null })}\n`;

/** `once` of node:events would take a reset for a failure. */
function closeOf(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.once('close', resolve);
  });
}

class Client {
  readonly stream: Duplex;
  readonly #lines: AsyncIterator<string>;
  readonly closed: Promise<void>;

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on('error', () => undefined);
    this.closed = closeOf(stream);
    this.#lines = lineStream(stream, 10_000_000).lines[Symbol.asyncIterator]();
  }

  static async of(server: TcpServer, circuit?: number): Promise<Client> {
    const address = { host: '127.0.0.1', port: server.port };
    const stream = await loopbackDial(address, { signal: NEVER, isolation: '' });
    if (circuit !== undefined) {
      const name = `fc00:dead:beef:4dad::0:${circuit.toString(16)}`;
      stream.write(`PROXY TCP6 ${name} ::1 ${circuit} 50001\r\n`);
    }
    return new Client(stream);
  }

  send(method: string, { id = 1, params = [] }: { id?: number; params?: unknown } = {}): void {
    this.stream.write(`${JSON.stringify({ method, params, id })}\n`);
  }

  /** The next line, or undefined when the connection ended. */
  async next(): Promise<{ id: unknown; result?: unknown; error?: { code: number } } | undefined> {
    const line = await this.#lines.next();
    return line.done === true ? undefined : (JSON.parse(line.value) as { id: unknown });
  }

  async ask(method: string, params: unknown = []): ReturnType<Client['next']> {
    this.send(method, { params });
    return this.next();
  }
}

test('a whole Electrum session works through the guard, notifications included', async () => {
  const { chain, target } = await chainTarget();
  const server = await guard({ target });
  await using client = await startElectrumClient({
    dial: (signal) =>
      loopbackDial({ host: '127.0.0.1', port: server.port }, { signal, isolation: '' }),
    clientName: 'test',
    timeoutMs: 10_000,
    log: silent,
    signal: NEVER,
  });
  const tip = await client.call('blockchain.headers.subscribe', {});
  assert.equal(tip.height, 101);
  const scripthash = SCRIPT_HASH;
  const notified = new Promise((resolve) => {
    client.on('blockchain.scripthash.subscribe', resolve);
  });
  assert.equal(await client.call('blockchain.scripthash.subscribe', { scripthash }), null);
  const txid = chain.pay(SCRIPT, 70_000n);
  const status = await notified;
  const history = await client.call('blockchain.scripthash.get_history', { scripthash });
  assert.deepEqual(
    history.map(({ tx_hash }) => tx_hash),
    [txid],
  );
  assert.equal((status as [string])[0], SCRIPT_HASH);
  const headers = await client.call('blockchain.block.headers', { start_height: 0, count: 102 });
  assert.equal(headers.count, 102);
  const calls = Array.from({ length: 300 }, () => client.call('server.ping', {}));
  assert.equal((await Promise.all(calls)).length, 300);
});

test('only methods of the protocol reach the target', async () => {
  const target = await fakeTarget(pong);
  const client = await Client.of(await guard({ target }));
  assert.equal((await client.ask('server.add_peer', [{}]))?.error?.code, -32_601);
  assert.equal(target.connections.length, 0, 'not even a connection');
  assert.equal((await client.ask('server.ping'))?.result, null);
  assert.equal((await client.ask('daemon.stop'))?.error?.code, -32_601);
  assert.deepEqual(
    target.lines.map((line) => (JSON.parse(line) as { method: string }).method),
    ['server.ping'],
  );
});

test('a line that does not end is cut off at the limit', async () => {
  const target = await fakeTarget();
  const client = await Client.of(await guard({ target, limits: { lineBytes: 1000 } }));
  client.stream.write('x'.repeat(1001));
  assert.equal(await client.next(), undefined);
  assert.equal(target.connections.length, 0);
});

test('long lines come in turn, whoever sends them, and short ones meanwhile', async () => {
  const target = await fakeTarget(pong);
  const limits = { longBytes: 70_000, longLines: 1, longLineMs: 2000 };
  const server = await guard({ target, limits });
  const line = `{"id":1,"method":"blockchain.transaction.broadcast","params":["${'00'.repeat(100_000)}"]}\n`;
  const hostile = await Client.of(server);
  hostile.stream.write(line.slice(0, 150_000));
  await sleep(50);
  const honest = await Client.of(server);
  const start = performance.now();
  honest.stream.write(line);
  const order: string[] = [];
  const inTurn = honest.next().then((reply) => {
    order.push('long');
    return reply;
  });
  assert.equal((await (await Client.of(server)).ask('server.ping'))?.result, null);
  order.push('short');
  assert.equal((await inTurn)?.result, null);
  assert.deepEqual(order, ['short', 'long'], 'short lines do not wait');
  const tookMs = performance.now() - start;
  assert.ok(tookMs > 1000 && tookMs < 10_000, `its turn came after ${tookMs} ms`);
  await hostile.closed;
  honest.stream.write(line);
  assert.equal((await honest.next())?.result, null, 'it may take its turn again');
});

test('a client that makes too many mistakes is sent away', async () => {
  const target = await fakeTarget(pong);
  const client = await Client.of(await guard({ target, limits: { mistakes: 3 } }));
  client.stream.write('{}\nnonsense\n[]\n{}\n');
  const codes: unknown[] = [];
  for (let reply = await client.next(); reply !== undefined; reply = await client.next()) {
    codes.push(reply.error?.code);
  }
  assert.deepEqual(codes, [-32_600, -32_700, -32_600]);
});

test('more requests than a circuit may send wait, over all its connections, and others do not', async () => {
  const target = await fakeTarget(pong);
  const limits = { requests: { perSecond: 4, burst: 5 } };
  const server = await guard({ target, limits, expectProxyHeader: true });
  const [first, second] = [await Client.of(server, 7), await Client.of(server, 7)];
  const start = performance.now();
  for (let id = 0; id < 7; id += 1) first.send('server.ping', { id });
  for (let id = 0; id < 7; id += 1) assert.equal((await first.next())?.id, id);
  assert.ok(performance.now() - start > 450, 'two waited for 250 ms each');
  const again = performance.now();
  await second.ask('server.ping');
  assert.ok(performance.now() - again > 100, 'the same circuit has the same quota');
  const order: string[] = [];
  for (let id = 0; id < 10; id += 1) second.send('server.ping', { id });
  const tenth = (async () => {
    for (let id = 0; id < 10; id += 1) await second.next();
    order.push('tenth of the same circuit');
  })();
  const other = await Client.of(server, 8);
  for (let id = 0; id < 5; id += 1) await other.ask('server.ping');
  order.push('fifth of another');
  await tenth;
  assert.deepEqual(order, ['fifth of another', 'tenth of the same circuit']);
});

test('a long line costs as much as many requests', async () => {
  const target = await fakeTarget(pong);
  const limits = { requests: { perSecond: 10, burst: 4 }, bytesPerRequest: 100 };
  const client = await Client.of(await guard({ target, limits }));
  const start = performance.now();
  const raw = '00'.repeat(150);
  await client.ask('blockchain.transaction.broadcast', [raw]);
  await client.ask('blockchain.transaction.broadcast', [raw]);
  assert.ok(performance.now() - start > 250);
});

test('a circuit has a bounded number of connections, and the guard too', async () => {
  const target = await fakeTarget(pong);
  const limits = { connectionsPerVisitor: 2, connections: 4 };
  const server = await guard({ target, limits, expectProxyHeader: true });
  const [one, two] = [await Client.of(server, 1), await Client.of(server, 1)];
  await one.ask('server.ping');
  await two.ask('server.ping');
  assert.equal(await (await Client.of(server, 1)).ask('server.ping'), undefined);
  const [three, four] = [await Client.of(server, 2), await Client.of(server, 3)];
  await three.ask('server.ping');
  await four.ask('server.ping');
  assert.equal(await (await Client.of(server, 4)).ask('server.ping'), undefined);
  one.stream.destroy();
  await sleep(50);
  assert.equal((await (await Client.of(server, 4)).ask('server.ping'))?.result, null);
});

test('behind tor a stream without tor’s line gets nothing', async () => {
  const target = await fakeTarget(pong);
  const client = await Client.of(await guard({ target, expectProxyHeader: true }));
  assert.equal(await client.ask('server.ping'), undefined);
  assert.equal(target.connections.length, 0);
});

test('a client that says nothing is closed, at first soon and later after a while', async () => {
  const target = await fakeTarget(pong);
  const server = await guard({ target, limits: { greetingMs: 100, idleMs: 1500 } });
  const start = performance.now();
  const mute = await Client.of(server);
  mute.stream.write('{"half a line": ');
  const idle = await Client.of(server);
  await idle.ask('server.ping');
  const first = await Promise.race([mute, idle].map((client) => client.closed.then(() => client)));
  assert.equal(first, mute);
  await idle.closed;
  assert.ok(performance.now() - start >= 1490);
});

test('a client that does not read is closed, its target is not flooded, and others are served', async () => {
  const large = 'x'.repeat(2_000_000);
  const target = await fakeTarget((id) => `${JSON.stringify({ id, result: large })}\n`);
  const server = await guard({ target, limits: { stallMs: 5000, unanswered: 4 } });
  const greedy = await Client.of(server);
  greedy.stream.pause();
  for (let id = 0; id < 200; id += 1) greedy.send('server.banner', { id });
  await sleep(100);
  const honest = await Client.of(server);
  assert.equal((await honest.ask('server.banner'))?.result, large);
  const asked = target.lines.length;
  assert.ok(asked < 50, `${asked} of 200 questions were passed on`);
  const ended = target.connections[0];
  assert.ok(ended && !ended.destroyed, 'the honest one did not wait for the end of the greedy one');
  await closeOf(ended);
});

test('answers come no faster than a circuit may have them', async () => {
  const target = await fakeTarget(
    (id) => `${JSON.stringify({ id, result: 'x'.repeat(200_000) })}\n`,
  );
  const limits = { answers: { perSecond: 1_000_000, burst: 100_000 } };
  const client = await Client.of(await guard({ target, limits }));
  const start = performance.now();
  for (let id = 0; id < 3; id += 1) await client.ask('server.banner');
  const tookMs = performance.now() - start;
  assert.ok(tookMs > 450, `600 kB took ${tookMs} ms`);
});

test('a connection watches a bounded number of scripts', async () => {
  const target = await fakeTarget(pong);
  const limits = { subscriptionsPerConnection: 2 };
  const client = await Client.of(await guard({ target, limits }));
  const watch = (byte: string) => client.ask('blockchain.scripthash.subscribe', [byte.repeat(32)]);
  assert.equal((await watch('01'))?.result, null);
  assert.equal((await watch('02'))?.result, null);
  assert.equal((await watch('02'))?.result, null, 'the same one again');
  assert.equal((await watch('03'))?.error?.code, 1);
  assert.equal(target.lines.length, 3);
});

test('errors of the guard stand between the lines of the target, never within', async () => {
  const target = await fakeTarget();
  const client = await Client.of(await guard({ target }));
  client.send('server.banner', { id: 1 });
  await sleep(50);
  target.connections[0]?.write('{"id":1,"result":"first ');
  await sleep(50);
  client.send('server.add_peer', { id: 2 });
  await sleep(50);
  target.connections[0]?.write('half"}\n');
  assert.deepEqual(await client.next(), { id: 1, result: 'first half' });
  assert.equal((await client.next())?.id, 2);
});

test('when the target is off its clients are told so, and when it goes they are closed', async () => {
  const [port = 0] = await findFreePorts(1);
  const off = { host: '127.0.0.1', port };
  const warnings: string[] = [];
  const log = { ...silent, warn: (message: string) => warnings.push(message) };
  const early = await Client.of(await guard({ target: off, log }));
  assert.equal((await early.ask('server.ping'))?.error?.code, 1);
  assert.equal(await early.next(), undefined);
  assert.equal(warnings.length, 1);

  const target = await fakeTarget(pong);
  const client = await Client.of(await guard({ target }));
  await client.ask('server.ping');
  target.connections[0]?.end('{"id":9,"result":"last words"}\n');
  assert.equal((await client.next())?.id, 9);
  assert.equal(await client.next(), undefined);
});

test('when a client goes, its connection to the target goes', async () => {
  const target = await fakeTarget(pong);
  const client = await Client.of(await guard({ target }));
  await client.ask('server.ping');
  client.stream.destroy();
  const connection = target.connections[0];
  assert.ok(connection);
  await closeOf(connection);
});

test('no log line holds what was asked', async () => {
  const written: string[] = [];
  const keep = (...parts: unknown[]): void => void written.push(JSON.stringify(parts));
  const log: Logger = { debug: keep, info: keep, warn: keep, error: keep };
  const [port = 0] = await findFreePorts(1);
  const { target } = await chainTarget();
  for (const at of [target, { host: '127.0.0.1', port }]) {
    const client = await Client.of(await guard({ target: at, log, limits: { lineBytes: 1000 } }));
    await client.ask('blockchain.scripthash.subscribe', [SCRIPT_HASH]);
    await client.ask(`no.such.${SCRIPT_HASH}`);
    client.stream.write(SCRIPT_HASH.repeat(20));
    await client.closed;
  }
  assert.ok(written.length > 0);
  assert.deepEqual(
    written.filter((line) => line.includes(SCRIPT_HASH)),
    [],
  );
});
