import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { findProgram } from '../src/io/find-program.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import type { ServiceState } from '../src/stack/backend.ts';
import type { Tor } from '../src/tor/tor-process.ts';
import {
  commandOf,
  type ProcessLab,
  type ProcessServer,
  startProcessLab,
} from './process-server.ts';
import { assertKeptOut, untilAnswered, untilAskedForKey } from './wallet-calls.ts';

const TEST_MS = 600_000;
const signal = AbortSignal.timeout(4 * TEST_MS);
const scope = new Scope();
let lab: ProcessLab;
let stranger: Tor;

beforeAll(async () => {
  lab = scope.use(await startProcessLab(signal));
  stranger = scope.use(await lab.startClient('stranger', []));
});

afterAll(() => scope[Symbol.asyncDispose]());

interface Status {
  readonly ready: boolean;
  readonly services: readonly ServiceState[];
  readonly onions: Readonly<Record<string, string>>;
  readonly devices: readonly string[];
}

async function status(server: ProcessServer): Promise<Status> {
  return JSON.parse(await server.succeed('status', '--json')) as Status;
}

/** The onion and port that `sotto connect` gives a wallet, after trying them itself. */
async function connect(server: ProcessServer): Promise<{ host: string; port: number }> {
  const answer = JSON.parse(await server.succeed('connect', '--json')) as {
    readonly onion: string;
    readonly port: number;
    readonly tested: boolean;
  };
  assert.ok(answer.tested);
  return { host: answer.onion, port: answer.port };
}

async function addDevice(server: ProcessServer, name: string): Promise<string> {
  const { line } = JSON.parse(await server.succeed('device', 'add', name, '--json')) as {
    readonly line: string;
  };
  return line;
}

async function untilAllRun(
  server: ProcessServer,
  what: string,
  isSo: (states: readonly ServiceState[]) => boolean,
): Promise<readonly ServiceState[]> {
  return await waitUntil(
    async () => {
      const states = await server.states();
      return isSo(states) && states.every(({ state }) => state === 'running') ? states : undefined;
    },
    { what, timeoutMs: 60_000, intervalMs: 100, signal },
  );
}

async function untilNothingRuns(server: ProcessServer): Promise<void> {
  await waitUntil(
    async () =>
      (server.supervisor() === undefined && (await server.services()).length === 0) || undefined,
    { what: 'all to end', timeoutMs: 60_000, intervalMs: 100, signal },
  );
}

/** Every part of a life: each test goes on where the one before ended. */
function lifeOf(name: string, options: readonly string[]): void {
  let server: ProcessServer;
  let onions: Status['onions'];
  const passphraseFile = (): string => join(lab.directory, 'passphrase');
  const backupFile = (): string => join(lab.directory, `${name}.backup`);

  test('it comes up until it answers through its own onion', { timeout: TEST_MS }, async () => {
    server = await lab.makeServer(name, options);
    const lines = (await server.succeed('up', '--json')).trim().split('\n');
    const last = JSON.parse(lines.at(-1) ?? '') as { ready: boolean; onions: Status['onions'] };
    assert.equal(last.ready, true);
    ({ onions } = last);
    assert.ok((await status(server)).services.every(({ state }) => state === 'running'));
    assert.deepEqual((await status(server)).onions, onions);
    // Once more changes nothing.
    const before = server.supervisor();
    await server.succeed('up');
    assert.equal(server.supervisor(), before);
  });

  test('a device with a key reaches it, and nobody else does', { timeout: TEST_MS }, async () => {
    const onion = await connect(server);
    assert.equal(onion.host, onions['wallet']);
    const start = async (device: string): Promise<Tor> =>
      lab.startClient(`${name}-${device}`, [await addDevice(server, device)]);
    await using phone = await start('phone');
    assert.ok((await untilAnswered({ tor: phone, onion, signal })) >= 0);
    await untilAskedForKey({ tor: stranger, onion, signal });
    await server.succeed('device', 'revoke', 'phone');
    await assertKeptOut({ tor: phone, onion, signal });
    await using laptop = await start('laptop');
    assert.deepEqual((await status(server)).devices, ['laptop']);
    assert.ok((await untilAnswered({ tor: laptop, onion, signal })) >= 0);
    await assertKeptOut({ tor: phone, onion, signal });
  });

  test('what is killed runs again, one by one', { timeout: TEST_MS }, async () => {
    let before = await untilAllRun(server, 'all services', (states) => states.length > 0);
    for (const pid of await leadersOf(server)) {
      const what = commandOf(pid).join(' ');
      process.kill(pid, 'SIGKILL');
      const then = before;
      before = await untilAllRun(server, `${what} to run again`, (after) =>
        after.some(({ restarts }, index) => restarts > (then[index]?.restarts ?? 0)),
      );
    }
    for (const { service, restarts, lastExit } of before) {
      assert.deepEqual([service, restarts, lastExit], [service, 1, 'SIGKILL']);
    }
    await server.succeed('up');
  });

  test('a killed supervisor takes all along, and `up` heals it', { timeout: TEST_MS }, async () => {
    const pid = server.supervisor();
    assert.ok(pid);
    process.kill(pid, 'SIGKILL');
    await untilNothingRuns(server);
    assert.ok((await status(server)).services.every(({ state }) => state === 'stopped'));
    await server.succeed('up');
    await connect(server);
  });

  test('`down` ends all, and `up` gives the same onions', { timeout: TEST_MS }, async () => {
    await server.succeed('down');
    assert.equal(server.supervisor(), undefined);
    assert.deepEqual(await server.services(), []);
    await server.succeed('down');
    await server.succeed('up');
    assert.equal((await connect(server)).host, onions['wallet']);
  });

  test('the logs of each service are kept, and nothing secret in them', async () => {
    const { services } = await status(server);
    for (const { service } of services) {
      const path = join(server.home.logs, `${service}.log`);
      assert.ok(existsSync(path), path);
    }
    assert.match(await server.succeed('logs', 'tor', '-n', '100000'), /Bootstrapped 100%/);
    const all = (await server.succeed('logs', '-n', '1')).trim().split('\n');
    assert.ok(
      all.length <= services.length && all.every((line) => line.includes(' | ')),
      all.join(),
    );
    const said = await server.succeed('logs', '-n', '100000');
    for (const name of readdirSync(server.home.secrets)) {
      const secret = readFileSync(join(server.home.secrets, name));
      assert.ok(secret.length >= 32);
      for (const form of ['hex', 'base64', 'latin1'] as const) {
        assert.equal(said.includes(secret.toString(form).trim()), false, `${name} as ${form}`);
      }
    }
  });

  test('a backup brings back the same server after `destroy`', { timeout: TEST_MS }, async () => {
    await writeFile(passphraseFile(), 'correct horse battery staple\n', { mode: 0o600 });
    const secret = ['--passphrase-file', passphraseFile()] as const;
    await server.succeed('backup', backupFile(), ...secret);
    await server.succeed('destroy', '--yes');
    assert.equal(existsSync(server.home.directory), false);
    await untilNothingRuns(server);
    await server.succeed('restore', backupFile(), ...secret);
    await server.succeed('up');
    assert.deepEqual((await status(server)).onions, onions);
    assert.deepEqual((await status(server)).devices, ['laptop']);
    await connect(server);
  });

  test('`destroy` leaves nothing', { timeout: TEST_MS }, async () => {
    await server.succeed('destroy', '--yes');
    await untilNothingRuns(server);
    assert.equal(existsSync(server.home.directory), false);
    const left = readdirSync(lab.directory).filter((each) => each.includes(name));
    assert.deepEqual(
      left.filter((each) => !each.endsWith('.backup')),
      [],
    );
  });
}

/** Of the services' process groups; what else there is ends with its leader. */
async function leadersOf(server: ProcessServer): Promise<number[]> {
  const pids = await server.services();
  return pids.filter((pid) => groupOf(pid) === pid);
}

/** The fifth field of proc(5), /proc/PID/stat; the second may hold spaces. */
function groupOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(text.slice(text.lastIndexOf(')')).split(' ')[3]);
}

describe('a server with a devnet', () => {
  lifeOf('devnet', ['--network', 'regtest', '--target', 'devnet']);
});

const programs = ['bitcoind', 'Fulcrum'];
const found = await Promise.all(programs.map((name) => findProgram(name)));
const missing = programs.filter((_, index) => found[index] === undefined);

describe.skipIf(missing.length > 0)(
  `a server with bitcoind and Fulcrum${missing.length > 0 ? `: SKIPPED, not on PATH: ${missing.join(', ')}` : ''}`,
  () => {
    lifeOf('fulcrum', ['--network', 'regtest', '--target', 'fulcrum']);
  },
);
