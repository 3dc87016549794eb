import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { DialError } from '../src/io/dial.ts';
import { listenTcp, type TcpServer } from '../src/io/listen.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { startReaper } from '../src/io/reaper.ts';
import { socksDial } from '../src/io/socks-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { onionKeyFromSeed } from '../src/tor/onion-key.ts';
import { type PrivateTorNetwork, startPrivateTorNetwork } from '../src/tor/private-network.ts';
import type { Tor } from '../src/tor/tor-process.ts';
import { torsBelow } from './tor-processes.ts';

const PORT = 50_010;
const signal = AbortSignal.timeout(280_000);

const scope = new Scope();
const key = onionKeyFromSeed(randomBytes(32));
const seed = randomBytes(32);
const onion = onionKeyFromSeed(seed).address;
/** The first line of every stream that reached the onion's target. */
const headers: string[] = [];
const phases: number[] = [];
let directory: string;
let readyMs: number;
let network: PrivateTorNetwork;
let service: Tor;
let client: Tor;

beforeAll(async () => {
  const reaper = scope.use(await startReaper());
  directory = scope.use(await makeTemporaryDirectory()).path;
  reaper.watchDirectory(directory);
  const start = performance.now();
  network = scope.use(await startPrivateTorNetwork({ directory, signal, reaper }));
  readyMs = performance.now() - start;
  const echo = scope.use(await startEchoServer());
  const ports = [{ virtual: PORT, target: `127.0.0.1:${echo.port}` }];
  const onProgress = ({ percent }: { percent: number }): void => void phases.push(percent);
  const tors = await scope.useAll([
    network.startTor({
      name: 'service',
      onions: [{ seed, ports, exportCircuitId: true }],
      signal,
    }),
    network.startTor({ name: 'client', onions: [], signal, onProgress }),
  ]);
  [service, client] = tors as [Tor, Tor];
  await service.published(onion, { signal });
});

afterAll(() => scope[Symbol.asyncDispose]());

/** Keeps the PROXY line and sends back what follows it. */
function startEchoServer(): Promise<TcpServer> {
  return listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 16,
    onConnection: (stream) => {
      stream.once('data', (chunk: Buffer) => {
        const end = chunk.indexOf('\r\n');
        headers.push(chunk.toString('latin1', 0, end));
        stream.write(chunk.subarray(end + 2));
        stream.pipe(stream);
      });
    },
  });
}

async function echoThroughTor(isolation: string): Promise<string> {
  const stream = await socksDial(client.socks)({ host: onion, port: PORT }, { signal, isolation });
  const lines: Buffer[] = [];
  stream.write('hello');
  while (Buffer.concat(lines).length < 5) lines.push(((await once(stream, 'data')) as [Buffer])[0]);
  stream.destroy();
  return Buffer.concat(lines).toString();
}

test('when one of its tors ends, the start of a network fails at once, and says so', async () => {
  await using own = new Scope();
  const reaper = own.use(await startReaper());
  const place = own.use(await makeTemporaryDirectory()).path;
  reaper.watchDirectory(place);
  const killOneOfFive = async (): Promise<void> => {
    for (let look = 0; look < 6000; look += 1) {
      const pids = torsBelow(place);
      if (pids.length === 5) return void process.kill(pids[4] ?? 0, 'SIGKILL');
      await sleep(20);
    }
  };
  const killing = killOneOfFive();
  const outcome = await startPrivateTorNetwork({ directory: place, signal, reaper }).then(
    (unexpected) => own.use(unexpected),
    (error: unknown) => error,
  );
  assert.match(String(outcome), /^UserError: tor ended by itself/);
  await killing;
  assert.deepEqual(torsBelow(place), []);
});

test('a network is ready within 60 seconds, and a tor tells of its way into it', () => {
  assert.ok(readyMs <= 60_000, `${readyMs} ms`);
  assert.deepEqual(
    phases.toSorted((a, b) => a - b),
    phases,
  );
  assert.equal(phases.at(-1), 100);
});

// At the end of a period, which lasts 24 times as long, a call to an onion can fail.
test('it settles on a consensus for an hour, in which all relays weigh the same', async () => {
  const ask = (key: string): Promise<string> => client.control.getInfo(key);
  const [from, until] = [await ask('consensus/valid-after'), await ask('consensus/fresh-until')];
  assert.equal(Date.parse(`${until}Z`) - Date.parse(`${from}Z`), 3_600_000);
  const weights = (await ask('ns/all')).match(/^w Bandwidth=.*$/gm) ?? [];
  assert.equal(weights.length, 5);
  assert.equal(new Set(weights).size, 1, weights.join());
});

test('streams of different isolation words come over different circuits', async () => {
  headers.length = 0;
  for (const word of ['first', 'second', 'first']) {
    assert.equal(await echoThroughTor(word), 'hello');
  }
  const [first, second, firstAgain] = headers;
  assert.match(first ?? '', /^PROXY TCP6 fc00:dead:beef:4dad::[0-9a-f]+:[0-9a-f]+ ::1 \d+ 50010$/);
  assert.notEqual(first, second);
  assert.equal(first, firstAgain);
});

test('the circuit that the PROXY line names is one of the service and can be closed', async () => {
  headers.length = 0;
  await echoThroughTor('to be closed');
  const id = Number.parseInt(/:([0-9a-f]+) ::1/.exec(headers[0] ?? '')?.[1] ?? '', 16);
  const circuit = (await service.control.circuits()).find((each) => each.id === id);
  assert.equal(circuit?.purpose, 'HS_SERVICE_REND');
  await service.control.closeCircuit(id);
  await waitUntil(
    async () => (await service.control.circuits()).every((each) => each.id !== id) || undefined,
    { what: 'the circuit to close', timeoutMs: 5_000, intervalMs: 50, signal },
  );
});

test('an onion that nobody serves and a port that nobody listens on are told apart', async () => {
  const dial = socksDial(client.socks);
  const options = { signal, isolation: 'errors' };
  await assert.rejects(
    dial({ host: key.address, port: PORT }, options),
    (error) => error instanceof DialError && error.message.includes('published no descriptor'),
  );
  await assert.rejects(dial({ host: onion, port: 1 }, options), DialError);
});

test('a clearnet host is refused before anything is sent', async () => {
  const dial = socksDial(client.socks);
  const clearnet = { host: 'example.com', port: 443 };
  await assert.rejects(dial(clearnet, { signal, isolation: 'clearnet' }), /not an onion address/);
});

test("tor's port itself refuses what is not an onion", async () => {
  const stream = await loopbackDial(client.socks, { signal, isolation: '' });
  stream.write(Uint8Array.of(5, 1, 0));
  await once(stream, 'data');
  const host = Buffer.from('example.com');
  stream.write(
    Buffer.concat([Uint8Array.of(5, 1, 0, 3, host.length), host, Uint8Array.of(1, 187)]),
  );
  const [reply] = (await once(stream, 'data')) as [Buffer];
  stream.destroy();
  assert.deepEqual([...reply.subarray(0, 2)], [5, 2]);
});

test('its keys are for its owner alone', () => {
  const place = `${directory}/service/${onion}`;
  assert.equal(statSync(place).mode & 0o777, 0o700);
  assert.equal(statSync(`${place}/hs_ed25519_secret_key`).mode & 0o777, 0o600);
  assert.equal(readFileSync(`${place}/hostname`, 'utf8').trim(), onion);
});

test('nothing is left after disposing', async () => {
  assert.equal(torsBelow(directory).length, 7);
  await scope[Symbol.asyncDispose]();
  assert.equal(torsBelow(directory).length, 0);
  assert.equal(existsSync(directory), false);
});
