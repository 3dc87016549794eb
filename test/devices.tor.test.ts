import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, test } from 'vitest';
import { utf8 } from '../src/base/bytes.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { PORTS_IN_A_ROW } from '../src/config/stack-config.ts';
import { startChild } from '../src/io/child-process.ts';
import { DialError } from '../src/io/dial.ts';
import { writeDurably } from '../src/io/durable-file.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { listenTcp } from '../src/io/listen.ts';
import { startReaper } from '../src/io/reaper.ts';
import { socksDial, type SocksProxy } from '../src/io/socks-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { reloadTor } from '../src/stack/ask-tor.ts';
import { addDevice, deviceFile, listDevices, removeDevice } from '../src/stack/devices.ts';
import { homeAt } from '../src/stack/home.ts';
import { makePlan, type Plan } from '../src/stack/plan.ts';
import { mendOnions, replaceOnion } from '../src/stack/replace-onion.ts';
import { makeSecrets, onionAddresses, type Secrets } from '../src/stack/secrets.ts';
import { writePlan } from '../src/stack/apply.ts';
import { parseAuthPrivate } from '../src/tor/client-authorization.ts';
import { DescriptorUploads } from '../src/tor/descriptor-uploads.ts';
import { connectTorControl } from '../src/tor/open-control.ts';
import { type PrivateTorNetwork, startPrivateTorNetwork } from '../src/tor/private-network.ts';
import type { Tor } from '../src/tor/tor-process.ts';
import { withoutOnion } from '../src/tor/torrc.ts';

const PORT = 50_001;
const PATIENCE_MS = 15_000;
const signal = AbortSignal.timeout(900_000);
const scope = new Scope();
let network: PrivateTorNetwork;
let plan: Plan;
let secrets: Secrets;
/** tor programs of a person's devices, and of someone who has none. */
let phone: Tor;
let tablet: Tor;
let laptop: Tor;
let stranger: Tor;
let keyOfLaptop: string;
/** What tor has open to the wallet's server. */
const served = new Set<Duplex>();

beforeAll(async () => {
  const reaper = scope.use(await startReaper());
  const { path: directory } = scope.use(await makeTemporaryDirectory());
  reaper.watchDirectory(directory);
  network = scope.use(
    await startPrivateTorNetwork({ directory: `${directory}/network`, signal, reaper }),
  );
  const home = homeAt(`${directory}/home`);
  const [firstPort = 0] = await findFreePorts(PORTS_IN_A_ROW);
  secrets = await makeSecrets(home);
  plan = makePlan({
    home,
    config: {
      network: 'regtest',
      target: 'devnet',
      backend: 'process',
      openWallet: false,
      docker: { project: 'sotto', networkPrefix: '10.213.50' },
      process: { firstPort, programs: {} },
    },
    facts: {
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      memoryMiB: 4096,
      onions: onionAddresses(secrets),
      targetRpc: secrets.targetRpc,
      initialSyncDone: false,
      images: { tor: '', bitcoind: '', target: '', node: '' },
      torAuthorities: network.authorities,
    },
  });
  const accesses = [];
  for (const name of ['phone', 'tablet', 'laptop']) accesses.push(await addDevice(plan, name));
  keyOfLaptop = accesses.at(-1)?.line ?? '';
  await writePlan({ plan, secrets });
  scope.use(
    await listenTcp({
      ...plan.endpoints.target.tor,
      maxConnections: 16,
      onConnection: (stream) => {
        served.add(stream);
        stream.once('close', () => served.delete(stream));
        stream.pipe(stream);
      },
    }),
  );
  const [, ...args] = plan.services[0]?.command ?? [''];
  const child = { command: 'tor', args, signal, stopTimeoutMs: 1000, reaper };
  scope.use(await startChild(child));
  const started = await scope.useAll([
    ...accesses.map(({ name, line }) => startDevice(name, line)),
    network.startTor({ name: 'stranger', onions: [], signal }),
    published(),
  ]);
  [phone, tablet, laptop, stranger] = started as [Tor, Tor, Tor, Tor];
});

afterAll(() => scope[Symbol.asyncDispose]());

function startDevice(name: string, line: string): Promise<Tor> {
  return network.startTor({ name, onions: [], access: [parseAuthPrivate(utf8(line))], signal });
}

/** Waits until the wallet onion is where clients look for it, counted from now. */
async function published(): Promise<AsyncDisposable> {
  const { torControl: socket, torControlCookie: cookieFile } = plan.home;
  const uploads = new DescriptorUploads();
  const waiting = { timeoutMs: 60_000, intervalMs: 50, signal };
  const control = await waitUntil(
    () =>
      connectTorControl({
        ...{ socket, cookieFile, signal },
        events: ['HS_DESC'],
        onEvent: (text) => {
          uploads.note(text);
        },
      }).catch(() => undefined),
    { ...waiting, what: 'tor to listen' },
  );
  await waitUntil(() => uploads.isDone(plan.onions.wallet) || undefined, {
    ...waiting,
    what: 'the wallet onion to be published',
  });
  return control;
}

let calls = 0;

interface Caller {
  readonly socks: SocksProxy;
}

/** The server's own tor, as the self-probe uses it. */
function itself(): Caller {
  return { socks: { path: plan.home.torSocks } };
}

function call(tor: Caller, patience = signal): Promise<Duplex> {
  const onion = { host: plan.onions.wallet, port: PORT };
  return socksDial(tor.socks)(onion, { signal: patience, isolation: `call ${calls++}` });
}

async function echo(stream: Duplex, patience = signal): Promise<void> {
  stream.write('hello');
  const [chunk] = (await once(stream, 'data', { signal: patience })) as [Buffer];
  assert.equal(String(chunk), 'hello');
}

/**
 * Calls until it is let in and answered: tor asks for a newer descriptor when the one it has is of no use, and
 * what is called in the middle of that fails.
 */
async function untilLetIn(tor: Caller): Promise<Duplex> {
  let found: unknown;
  const attempt = async (): Promise<Duplex | undefined> => {
    // A call that began too early would wait for tor's own two minutes: each has a patience of its own.
    const patience = AbortSignal.timeout(PATIENCE_MS);
    try {
      const stream = await call(tor, patience);
      await echo(stream, patience);
      return stream;
    } catch (error) {
      if (!(error instanceof DialError || patience.aborted)) throw error;
      found = error;
      return undefined;
    }
  };
  return await waitUntil(attempt, {
    what: 'the wallet onion to answer',
    instead: () => String(found),
    timeoutMs: 180_000,
    intervalMs: 200,
    signal,
  });
}

async function assertLetIn(tor: Caller): Promise<void> {
  (await untilLetIn(tor)).destroy();
}

/**
 * Calls, and is not let in. A tor that has come in before may seek another way for minutes before it says
 * that its key is wrong.
 */
async function assertKeptOut(tor: Caller): Promise<void> {
  const calling = call(tor, AbortSignal.timeout(PATIENCE_MS));
  await assert.rejects(calling, (error) => {
    assert.doesNotMatch(String(error), /no tor answers/);
    return error instanceof DialError || isTimeout(error);
  });
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}

/** Calls with a tor that has never come in until it is told why; it must not be let in meanwhile. */
async function callUntilRefused(tor: Caller, why: RegExp): Promise<void> {
  let found = '';
  const isRefused = async (): Promise<true | undefined> => {
    const calling = call(tor, AbortSignal.timeout(PATIENCE_MS));
    const refusal = await calling.then(
      () => assert.fail('it was let in'),
      (error: unknown) => error,
    );
    found = String(refusal);
    return why.test(found) || undefined;
  };
  await waitUntil(isRefused, {
    what: `a refusal that says ${why.source}`,
    instead: () => found,
    timeoutMs: 180_000,
    intervalMs: 200,
    signal,
  });
}

test('devices come in, the server itself too, and nobody else', async () => {
  for (const tor of [phone, tablet, laptop, itself()]) {
    await assertLetIn(tor);
  }
  await callUntilRefused(stranger, /this tor has no key for it/);
});

// Why `replaceOnion` takes the onion down.
test('tor that only reads its devices again still lets in one that knows the descriptor', async () => {
  const stream = await untilLetIn(phone);
  await removeDevice(plan.home, 'phone');
  await reloadTor(plan.home);
  await sleep(1000);
  await echo(stream);
  stream.destroy();
  await assertLetIn(phone);
});

test('a device that is revoked is cut off at once; the others come in again', async () => {
  const open = await untilLetIn(laptop);
  // The device's end closes when relays pass it on, which with few of them takes as long as they are idle.
  const cut = [...served].map((stream) => new Promise((resolve) => stream.once('close', resolve)));
  assert.ok(cut.length > 0);
  const start = performance.now();
  const change = (): Promise<void> => removeDevice(plan.home, 'laptop');
  assert.equal(await replaceOnion({ plan, name: 'wallet', change, signal }), true);
  await Promise.all(cut);
  const ms = performance.now() - start;
  assert.ok(ms < 5000, `the open stream lived for ${ms} ms`);
  await assertKeptOut(laptop);
  await assertLetIn(tablet);
  await assertKeptOut(laptop);
  await using anew = await startDevice('laptop-anew', keyOfLaptop);
  await callUntilRefused(anew, /the access key of this tor is wrong or was revoked/);
  await assertLetIn(itself());
  open.destroy();
  const left = await listDevices(plan.home);
  assert.deepEqual(
    left.map(({ name }) => name),
    ['sotto', 'tablet'],
  );
});

test('a device that is added to a running server comes in', async () => {
  const { line } = await addDevice(plan, 'notebook');
  assert.equal(await reloadTor(plan.home), true);
  await using notebook = await startDevice('notebook', line);
  await assertLetIn(notebook);
});

test('a change that was interrupted leaves the onion closed, and mending ends it', async () => {
  const died = new Error('died here');
  const change = async (): Promise<void> => {
    await removeDevice(plan.home, 'notebook');
    throw died;
  };
  await assert.rejects(replaceOnion({ plan, name: 'wallet', change, signal }), died);
  // As if it had died between closing and opening.
  const torrc = `${plan.home.config('tor')}/torrc`;
  const closed = withoutOnion(await readFile(torrc, 'utf8'), plan.home.onion('wallet'));
  await writeDurably(torrc, closed);
  await reloadTor(plan.home);
  await sleep(500);
  // Its tor would look for another way for two minutes.
  await assert.rejects(call(tablet, AbortSignal.timeout(5000)));

  assert.deepEqual(await writePlan({ plan, secrets }), ['tor']);
  await mendOnions(plan);
  await assertLetIn(tablet);
  assert.equal(readdirSync(plan.home.directory).includes('replacing-wallet'), false);
});

test('the onion is not put up again when no device is left', async () => {
  const own = deviceFile(plan.home, 'sotto');
  const kept = await readFile(own);
  const change = async (): Promise<void> => {
    await removeDevice(plan.home, 'tablet');
    await writeDurably(own, 'damaged');
  };
  const replaced = replaceOnion({ plan, name: 'wallet', change, signal });
  await assert.rejects(replaced, /open to everyone/);
  await assert.rejects(call(stranger), DialError);
  await assert.rejects(call(itself()), DialError);

  await writeDurably(own, kept);
  await mendOnions(plan);
  await assertLetIn(itself());
});
