import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished, test } from 'vitest';
import type { StackConfig } from '../src/config/stack-config.ts';
import { type Child, startChild } from '../src/io/child-process.ts';
import { listenTcp } from '../src/io/listen.ts';
import { findMarkedProcesses } from '../src/io/marked-processes.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import type { ServiceState } from '../src/stack/backend.ts';
import { type Home, homeAt } from '../src/stack/home.ts';
import { askSupervisor, type SupervisorRequest } from '../src/stack/process/control.ts';
import { controlSocketOf, markOf, serviceLogOf } from '../src/stack/process/run-files.ts';
import type { ServiceName, ServiceSpec } from '../src/stack/service.ts';

const BUILD = fileURLToPath(new URL('../dist/', import.meta.url));
const signal = AbortSignal.timeout(300_000);
const FOREVER = 'while :; do sleep 0.05; done';

/** Services that are shell scripts, under a supervisor in a process of its own. */
class Lab {
  readonly home: Home;
  readonly said: string[] = [];

  constructor(directory: string) {
    this.home = homeAt(directory);
  }

  /** Says what is to run, from the next start or reload on. */
  async plan(
    scripts: Partial<Record<ServiceName, string>>,
    changes: Partial<ServiceSpec> = {},
  ): Promise<void> {
    const services = Object.entries(scripts).map(([name, script]): ServiceSpec => ({
      name: name as ServiceName,
      command: ['sh', '-c', script],
      files: [],
      reaches: [],
      listens: [],
      memoryMiB: 64,
      stopSeconds: 1,
      ...changes,
    }));
    const config: Partial<StackConfig> = {
      backend: 'process',
      process: { firstPort: 1024, programs: {} },
    };
    await writeFile(this.#planFile, JSON.stringify({ services, config, onions: {} }));
  }

  /** Starts a supervisor; it answers when this resolves. */
  async start(): Promise<Child> {
    const child = await this.begin();
    await Promise.race([this.until('states', () => true), child.failed]);
    return child;
  }

  async begin(): Promise<Child> {
    await mkdir(this.home.logs, { recursive: true });
    const program = `
      import { readFile } from 'node:fs/promises';
      import { homeAt } from '${BUILD}stack/home.js';
      import { runServices } from '${BUILD}stack/process/run-services.js';
      const [directory, planFile] = process.argv.slice(1);
      const stop = new AbortController();
      process.once('SIGTERM', () => stop.abort());
      const home = homeAt(directory);
      const say = (message, fields) => console.log(message, JSON.stringify(fields ?? {}));
      const log = { debug: say, info: say, warn: say, error: say };
      const loadPlan = async () => ({ ...JSON.parse(await readFile(planFile, 'utf8')), home });
      await runServices({ home, loadPlan, log, signal: stop.signal }).catch((error) => {
        if (stop.signal.aborted) return;
        console.log(error.message, error.hint);
        process.exitCode = 1;
      });
    `;
    const child = await startChild({
      command: process.execPath,
      args: ['--input-type=module', '--eval', program, this.home.directory, this.#planFile],
      onLine: (line) => this.said.push(line),
      signal,
      stopTimeoutMs: 10_000,
    });
    onTestFinished(() => child[Symbol.asyncDispose]());
    return child;
  }

  ask(request: SupervisorRequest): Promise<readonly ServiceState[] | undefined> {
    return askSupervisor(controlSocketOf(this.home), request, signal);
  }

  /** Asks again and again until all services are as wanted. */
  async until(
    what: string,
    isSo: (state: ServiceState) => boolean,
  ): Promise<readonly ServiceState[]> {
    return await waitUntil(
      async () => {
        const states = await this.ask({ command: 'states' });
        return states && states.length > 0 && states.every(isSo) ? states : undefined;
      },
      { what, timeoutMs: 20_000, intervalMs: 20, signal },
    );
  }

  /** Process ids of the services and all they started. */
  processes(): Promise<number[]> {
    return findMarkedProcesses(markOf(this.home));
  }

  async untilNoProcess(): Promise<void> {
    await waitUntil(async () => (await this.processes()).length === 0 || undefined, {
      what: 'all services to end',
      timeoutMs: 20_000,
      intervalMs: 50,
      signal,
    });
  }

  /** What the service has written, once that is something. */
  untilPrinted(service: ServiceName): Promise<string> {
    return waitUntil(() => this.log(service) || undefined, {
      what: `${service} to print`,
      timeoutMs: 20_000,
      intervalMs: 10,
      signal,
    });
  }

  log(service: ServiceName): string {
    const path = serviceLogOf(this.home, service);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  get #planFile(): string {
    return join(this.home.directory, 'plan.json');
  }
}

const isRunning = ({ state }: ServiceState): boolean => state === 'running';

async function makeLab(): Promise<Lab> {
  const directory = await makeTemporaryDirectory();
  onTestFinished(() => directory[Symbol.asyncDispose]());
  return new Lab(directory.path);
}

test('services run until the supervisor is told to stop, and then none is left', async () => {
  const lab = await makeLab();
  await lab.plan({
    watchdog: `echo watchdog; ${FOREVER}`,
    target: `sleep 60 & echo $SOTTO_SUPERVISED; ${FOREVER}`,
  });
  const supervisor = await lab.start();
  await lab.until('services to run', isRunning);
  await lab.untilPrinted('target');
  await lab.ask({ command: 'stop' });
  assert.equal((await supervisor.exited).code, 0);
  assert.deepEqual(await lab.processes(), []);
  assert.equal(lab.log('target'), `${lab.home.directory}\n`);
  assert.equal(await lab.ask({ command: 'states' }), undefined);
  const order = lab.said.filter((line) => /^(started|stopping)/.test(line));
  assert.deepEqual(
    order.map((line) => line.replace(/ \{"service":"(\w+)".*/, ' $1')),
    ['started watchdog', 'started target', 'stopping target', 'stopping watchdog'],
  );
});

test('a signal ends it in the same order, and who does not heed SIGTERM is killed in time', async () => {
  const lab = await makeLab();
  await lab.plan({ watchdog: `trap "" TERM; ${FOREVER}`, target: `trap "" TERM; ${FOREVER}` });
  const supervisor = await lab.start();
  await lab.until('services to run', isRunning);
  const before = performance.now();
  process.kill(supervisor.pid, 'SIGTERM');
  assert.equal((await supervisor.exited).code, 0);
  assert.ok(performance.now() - before < 15_000);
  assert.deepEqual(await lab.processes(), []);
});

test('a service that is killed runs again, with its own children gone', async () => {
  const lab = await makeLab();
  await lab.plan({ watchdog: `echo $$; sleep 60 & ${FOREVER}` });
  await lab.start();
  await lab.until('watchdog to run', isRunning);
  const first = Number(await lab.untilPrinted('watchdog'));
  const family = await lab.processes();
  process.kill(first, 'SIGKILL');
  const [state] = await lab.until(
    'watchdog to run again',
    ({ restarts, state }) => restarts === 1 && state === 'running',
  );
  assert.equal(state?.lastExit, 'SIGKILL');
  const later = await lab.processes();
  assert.ok(family.includes(first) && !later.some((pid) => pid === first));
});

test('a service that fails at once forever does not keep the others, and is told', async () => {
  const lab = await makeLab();
  await lab.plan({ watchdog: FOREVER, bitcoind: 'echo no disk >&2; exit 3', target: FOREVER });
  await lab.start();
  await waitUntil(
    async () => {
      const states = (await lab.ask({ command: 'states' })) ?? [];
      return (states[1]?.restarts ?? 0) >= 3 ? true : undefined;
    },
    { what: 'restarts', timeoutMs: 10_000, intervalMs: 20, signal },
  );
  const [watchdog, bitcoind, target] = (await lab.ask({ command: 'states' })) ?? [];
  assert.deepEqual([watchdog?.state, target?.state], ['running', 'running']);
  assert.equal(bitcoind?.lastExit, 'code 3');
  assert.match(lab.log('bitcoind'), /^(no disk\n){3,}$/);
});

test('a killed supervisor takes its services along, and the next one starts them again', async () => {
  const lab = await makeLab();
  await lab.plan({ watchdog: `trap 'echo goodbye; exit 0' TERM; ${FOREVER}`, target: FOREVER });
  const supervisor = await lab.start();
  await lab.until('services to run', isRunning);
  const before = await lab.processes();
  process.kill(supervisor.pid, 'SIGKILL');
  // Not even then is there a moment with two of them.
  await lab.start();
  await lab.until('services to run', isRunning);
  const after = await lab.processes();
  assert.deepEqual(
    before.filter((pid) => after.includes(pid)),
    [],
  );
  await lab.ask({ command: 'stop' });
  await lab.untilNoProcess();
});

test('services whose supervisor and reaper were both killed are ended by the next', async () => {
  const lab = await makeLab();
  await lab.plan({ watchdog: FOREVER });
  const supervisor = await lab.start();
  await lab.until('watchdog to run', isRunning);
  const before = await lab.processes();
  for (const pid of childrenOf(supervisor.pid)) {
    if (commandLine(pid).includes('sotto-reaper')) process.kill(pid, 'SIGKILL');
  }
  process.kill(supervisor.pid, 'SIGKILL');
  await supervisor.exited;
  assert.ok((await lab.processes()).some((pid) => before.includes(pid)));
  await lab.start();
  await lab.until('watchdog to run', isRunning);
  const after = await lab.processes();
  assert.deepEqual(
    before.filter((pid) => after.includes(pid)),
    [],
  );
});

test('a home has one supervisor', async () => {
  const lab = await makeLab();
  await lab.plan({ watchdog: FOREVER });
  await lab.start();
  const second = await lab.begin();
  assert.equal((await second.exited).code, 1);
  assert.match(lab.said.join('\n'), /runs already See how it is with: sotto status/);
  await lab.until('watchdog to run', isRunning);
});

test('another plan is taken up, and one that cannot be is refused in words', async () => {
  const lab = await makeLab();
  await lab.plan({ watchdog: FOREVER, target: FOREVER });
  await lab.start();
  await lab.plan({ watchdog: FOREVER, target: `echo other; ${FOREVER}`, node: FOREVER });
  const states = await lab.ask({ command: 'reload' });
  assert.deepEqual(
    states?.map(({ service, state }) => `${service} ${state}`),
    ['watchdog running', 'target running', 'node running'],
  );
  assert.equal(await lab.untilPrinted('target'), 'other\n');
  const since = states[0]?.since;
  await using other = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 1,
    onConnection: () => undefined,
  });
  const address = { host: '127.0.0.1', port: other.port };
  await lab.plan({ watchdog: 'exit 1' }, { listens: [{ what: 'SOCKS', address }] });
  await assert.rejects(lab.ask({ command: 'reload' }), {
    name: 'UserError',
    message: new RegExp(
      `127.0.0.1:${other.port} \\(watchdog: SOCKS\\) by node .*process ${process.pid}`,
    ),
    hint: /first_port/,
  });
  assert.equal((await lab.ask({ command: 'states' }))?.[0]?.since, since);
});

test('a port in use and a missing program are told before anything starts', async () => {
  const lab = await makeLab();
  await using other = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 1,
    onConnection: () => undefined,
  });
  const address = { host: '127.0.0.1', port: other.port };
  await lab.plan({ target: FOREVER }, { listens: [{ what: 'Electrum', address }] });
  assert.equal((await (await lab.begin()).exited).code, 1);
  assert.match(lab.said.join('\n'), /ports of this server are in use/);
  await lab.plan({ target: '' }, { command: ['electrs'] });
  assert.equal((await (await lab.begin()).exited).code, 1);
  assert.match(lab.said.join('\n'), /cannot be found: electrs\b.*romanz/);
});

test('a flood of output fills neither the disk nor the memory', async () => {
  const lab = await makeLab();
  await lab.plan({
    watchdog: 'yes "a line of a flood that does not end"',
    target: 'cat /dev/zero',
  });
  const supervisor = await lab.start();
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  // One that is listed may be renamed before it is looked at.
  const sizes = readdirSync(lab.home.logs).map(
    (name) => statSync(join(lab.home.logs, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  assert.ok(Math.max(...sizes) <= 8 * 1024 * 1024);
  assert.ok(sizes.length <= 8);
  const [, resident = '0'] =
    /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${supervisor.pid}/status`, 'utf8')) ?? [];
  assert.ok(Number(resident) < 400_000, resident);
  // It still answers.
  const before = performance.now();
  await lab.until('services to run', isRunning);
  assert.ok(performance.now() - before < 10_000);
});

test('a disk that takes no log stops nothing', async () => {
  const lab = await makeLab();
  await mkdir(lab.home.logs, { recursive: true });
  await symlink('/dev/full', serviceLogOf(lab.home, 'watchdog'));
  await lab.plan({ watchdog: `while :; do echo line; sleep 0.01; done` });
  await lab.start();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const [watchdog] = await lab.until('watchdog to run', isRunning);
  assert.equal(watchdog?.restarts, 0);
});

test('noise on the control socket is refused, and it goes on answering', async () => {
  const lab = await makeLab();
  await lab.plan({ watchdog: FOREVER });
  await lab.start();
  for (const request of [{ command: 'restart', services: [] }, { command: 'quit' }, 'states']) {
    await assert.rejects(lab.ask(request as SupervisorRequest), /does not understand/);
  }
  assert.equal(statSync(controlSocketOf(lab.home)).mode & 0o777, 0o600);
  await lab.until('watchdog to run', isRunning);
});

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

function commandLine(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
}
