import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { z } from 'zod';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { listeningOf, type Traces, tracesOf } from './traces.ts';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const SOTTO = join(PACKAGE, 'dist/cli/main.js');
const NODES = 4;
const ADDRESSES = 20;
/** Three authorities of the private Tor network and two relays. */
const TORS = 5;
const WORKING_MS = 60_000;
const CLEARING_MS = 15_000;

interface Run extends AsyncDisposable {
  readonly child: ChildProcess;
  /** The run's directory for temporary files. */
  readonly temporary: string;
  readonly stdout: Promise<string>;
  readonly stderr: Promise<string>;
  readonly exit: Promise<number | string>;
}

interface RunOptions {
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Makes the directory for temporary files from a name nobody has. */
  readonly prepare?: (temporary: string) => AsyncDisposable | undefined;
}

async function run(options: RunOptions = {}): Promise<Run> {
  const { command = process.execPath, args = [SOTTO, 'demo', '--json'], env, prepare } = options;
  const directory = await makeTemporaryDirectory();
  const temporary = join(directory.path, 'tmp');
  mkdirSync(temporary);
  const prepared = prepare?.(temporary);
  const child = spawn(command, args, {
    cwd: PACKAGE,
    env: { ...process.env, ...env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  return {
    child,
    temporary,
    stdout: text(child.stdout),
    stderr: text(child.stderr),
    exit,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exit;
      await prepared?.[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Waits until all tors of the private network run, and tells what there is to clear up. */
async function inTheMiddle({ temporary }: Run): Promise<Traces> {
  const traces = await waitUntil(
    () => {
      const now = tracesOf(temporary);
      const tors = now.processes.filter((line) => line.startsWith('tor -f'));
      return tors.length === TORS ? now : undefined;
    },
    {
      what: 'the tors of the demo',
      timeoutMs: WORKING_MS,
      intervalMs: 50,
      signal: AbortSignal.timeout(WORKING_MS),
    },
  );
  assert.equal(traces.files.length, 1);
  assert.ok(listeningOf(traces.sockets).length > 0);
  return traces;
}

function isClear({ temporary }: Run, before: Traces): boolean {
  const { processes, files } = tracesOf(temporary);
  const ports = listeningOf(before.sockets);
  return processes.length === 0 && files.length === 0 && ports.length === 0;
}

async function untilClear(run: Run, before: Traces): Promise<void> {
  await waitUntil(() => isClear(run, before) || undefined, {
    what: 'everything to be cleared up',
    timeoutMs: CLEARING_MS,
    intervalMs: 50,
    signal: AbortSignal.timeout(CLEARING_MS + 1000),
  });
}

const NOTHING: Traces = { processes: [], sockets: [], files: [] };
const count = z.int().min(0);
const onion = z.string().regex(/^[a-z2-7]{56}\.onion$/);
const way = {
  ok: z.literal(true),
  verified: z.literal(ADDRESSES),
  p50Ms: z.int().min(1),
  totalMs: z.int().min(1),
};
const demoResult = z.strictObject({
  ok: z.literal(true),
  readyMs: z.int().min(1),
  consensus: z.strictObject({
    epoch: count,
    signatures: z.int().min(2).max(3),
    nodes: z.literal(NODES),
  }),
  wallet: z.strictObject({ addresses: z.literal(ADDRESSES), transactions: z.int().min(ADDRESSES) }),
  direct: z.strictObject(way),
  relayed: z.strictObject({
    ...way,
    gateways: z.int().min(2).max(NODES),
    faults: z.array(z.string()).length(0),
  }),
  seen: z
    .array(
      z.strictObject({
        nodeId: z.string().regex(/^[0-9a-f]{32}$/),
        onion,
        relay: z.strictObject({
          cells: count,
          circuits: count,
          gateways: count.max(NODES),
          addresses: z.literal(0),
        }),
        gateway: z.strictObject({ cells: count, links: count, addresses: count }),
      }),
    )
    .length(NODES),
  plainServer: z.strictObject({
    onion,
    connections: z.literal(1),
    addresses: z.literal(ADDRESSES),
  }),
});

test('the demo looks a wallet up both ways, tells what each server saw, and leaves nothing', async () => {
  await using demo = await run();
  const [stdout, stderr, exit] = await Promise.all([demo.stdout, demo.stderr, demo.exit]);
  assert.equal(exit, 0, stderr);
  assert.ok(isClear(demo, NOTHING));
  assert.doesNotMatch(stderr, /warning|bug/i);
  const { seen, relayed } = demoResult.parse(JSON.parse(stdout));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  assert.ok(sum(seen.map(({ gateway }) => gateway.addresses)) >= ADDRESSES);
  assert.ok(sum(seen.map(({ relay }) => relay.cells)) >= ADDRESSES);
  assert.equal(seen.filter(({ gateway }) => gateway.addresses > 0).length, relayed.gateways);
  assert.ok(seen.every(({ gateway }) => gateway.addresses < ADDRESSES));
  assert.equal(new Set(seen.map(({ nodeId }) => nodeId)).size, NODES);
});

test('Ctrl-C in the middle ends the demo in order', async () => {
  await using demo = await run();
  const before = await inTheMiddle(demo);
  demo.child.kill('SIGINT');
  assert.equal(await demo.exit, 1);
  assert.ok(isClear(demo, before));
  assert.match(await demo.stderr, /\nsotto: interrupted\n$/);
});

test('a demo that is killed leaves nothing', async () => {
  await using demo = await run();
  const before = await inTheMiddle(demo);
  demo.child.kill('SIGKILL');
  assert.equal(await demo.exit, 'SIGKILL');
  await untilClear(demo, before);
});

test('a demo whose npm is killed leaves nothing', async () => {
  await using demo = await run({ command: 'npm', args: ['run', 'demo', '--', '--json'] });
  const before = await inTheMiddle(demo);
  demo.child.kill('SIGKILL');
  assert.equal(await demo.exit, 'SIGKILL');
  await untilClear(demo, before);
});

test('a demo without tor says what to type', async () => {
  await using demo = await run({ env: { PATH: '/nowhere' } });
  assert.equal(await demo.exit, 1);
  assert.match(
    await demo.stderr,
    /\nsotto: tor\S* is not installed\.\nOn Debian .*apt-get install/,
  );
  assert.ok(isClear(demo, NOTHING));
});

/** Undefined where this may not be done. */
function mountTiny(path: string): AsyncDisposable | undefined {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=600k', 'tmpfs', path]);
  if (mounted.status !== 0) return undefined;
  return {
    [Symbol.asyncDispose]: () => {
      spawnSync('umount', [path]);
      return Promise.resolve();
    },
  };
}

test('a demo without room on the disk says so and leaves nothing', async ({ skip }) => {
  let mounted: AsyncDisposable | undefined;
  await using demo = await run({ prepare: (path) => (mounted = mountTiny(path)) });
  skip(mounted === undefined, 'mounting a file system takes root');
  assert.equal(await demo.exit, 1);
  assert.match(await demo.stderr, /sotto: .* has room for .*\n.*TMPDIR/);
  assert.ok(isClear(demo, NOTHING));
});
