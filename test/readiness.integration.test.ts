import assert from 'node:assert/strict';
import { readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, test } from 'vitest';
import * as z from 'zod';
import { Scope } from '../src/base/lifecycle.ts';
import { RpcClient } from '../src/bitcoin/rpc-client.ts';
import { parseYaml } from '../src/config/load-yaml.ts';
import { PORTS_IN_A_ROW, stackConfigSchema } from '../src/config/stack-config.ts';
import { type Child, startChild } from '../src/io/child-process.ts';
import { DialError } from '../src/io/dial.ts';
import { findProgram } from '../src/io/find-program.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { writePlan } from '../src/stack/apply.ts';
import type { Backend } from '../src/stack/backend.ts';
import { homeAt } from '../src/stack/home.ts';
import { makePlan } from '../src/stack/plan.ts';
import type { ProbedStack } from '../src/stack/readiness/stack-probes.ts';
import type { Step, StepId } from '../src/stack/readiness/step.ts';
import { watchStack } from '../src/stack/readiness/watch-stack.ts';
import { makeSecrets, onionAddresses } from '../src/stack/secrets.ts';

const PROGRAMS = ['bitcoind', 'Fulcrum'] as const;
const found = await Promise.all(PROGRAMS.map((name) => findProgram(name)));
const missing = PROGRAMS.filter((_, index) => found[index] === undefined);
/** Anyone's: of BIP 173. */
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

type Part = 'bitcoind' | 'target';

describe.skipIf(missing.length > 0)(
  missing.length === 0
    ? 'readiness of bitcoind and Fulcrum'
    : `SKIPPED because ${missing.join(' and ')} cannot be found on PATH: readiness of bitcoind and Fulcrum`,
  () => {
    const signal = AbortSignal.timeout(120_000);
    const scope = new Scope();
    const running = new Map<Part, Child>();
    const lines = new Map<Part, string[]>([
      ['bitcoind', []],
      ['target', []],
    ]);
    let stack: ProbedStack;

    /** A personal server whose tor, node and watchdog are missing. */
    beforeAll(async () => {
      const { path } = scope.use(await makeTemporaryDirectory());
      const home = homeAt(path);
      const secrets = await makeSecrets(home);
      const [firstPort = 0] = await findFreePorts(PORTS_IN_A_ROW);
      const text = `network: regtest\nbackend: process\nprocess: { first_port: ${firstPort} }\n`;
      const config = parseYaml({ path: 'sotto.yaml', text, schema: stackConfigSchema });
      const facts = {
        uid: process.getuid?.() ?? 0,
        gid: process.getgid?.() ?? 0,
        memoryMiB: 4096,
        onions: onionAddresses(secrets),
        targetRpc: secrets.targetRpc,
        initialSyncDone: true,
        images: { tor: '', bitcoind: '', target: '', node: '' },
      };
      const plan = makePlan({ config, home, facts });
      await writePlan({ plan, secrets });
      const rpc = new RpcClient({
        address: plan.endpoints.bitcoind.rpc,
        credentials: async () => {
          try {
            return await readFile(join(home.data('bitcoind'), '.cookie'), 'utf8');
          } catch (cause) {
            throw new DialError('bitcoind does not run yet', { cause });
          }
        },
        timeoutMs: 10_000,
      });
      const backend: Pick<Backend, 'states' | 'logs' | 'callBitcoind' | 'dialElectrum'> = {
        states: () =>
          Promise.resolve(
            (['bitcoind', 'target'] as const).map((service) => ({
              service,
              state: running.has(service) ? 'running' : 'restarting',
              restarts: 0,
            })),
          ),
        async *logs({ service }) {
          await Promise.resolve();
          if (service !== 'bitcoind' && service !== 'target') return;
          for (const line of lines.get(service) ?? []) yield { service, text: line };
        },
        callBitcoind: (call) => rpc.call(call),
        dialElectrum: (_, waiting) =>
          loopbackDial(plan.endpoints.target.node, { ...waiting, isolation: '' }),
      };
      stack = { config, plan, backend: backend as Backend };
    });

    afterAll(() => scope[Symbol.asyncDispose]());

    async function start(name: Part): Promise<void> {
      const spec = stack.plan.services.find((service) => service.name === name);
      assert.ok(spec);
      const [command, ...args] = spec.command;
      const child = scope.use(
        await startChild({
          command,
          args,
          onLine: (line) => lines.get(name)?.push(line),
          stopTimeoutMs: 20_000,
          signal,
        }),
      );
      running.set(name, child);
      void child.exited.then(() => running.delete(name));
    }

    async function stop(name: Part): Promise<void> {
      await running.get(name)?.[Symbol.asyncDispose]();
    }

    /** Watches until a step is as it should be, and returns all steps then. */
    async function until(
      id: StepId,
      willDo: (step: Step) => boolean,
    ): Promise<ReadonlyMap<StepId, Step>> {
      let last: Step | undefined;
      for await (const { steps } of watchStack(stack, { clock: Date.now, signal })) {
        const byId = new Map(steps.map((step) => [step.id, step]));
        last = byId.get(id);
        if (last !== undefined && willDo(last)) return byId;
      }
      throw new Error(`${id} stayed: ${JSON.stringify(last)}`);
    }

    async function mine(blocks: number): Promise<void> {
      const params = [blocks, ADDRESS];
      const result = z.array(z.string());
      await stack.backend.callBitcoind({ method: 'generatetoaddress', params, result, signal });
    }

    test('before bitcoind runs, its steps say so, and an empty chain is enough to be ready', async () => {
      const before = await until('headers', ({ detail }) => detail.includes('does not run'));
      assert.equal(before.get('headers')?.state, 'working');
      assert.equal(before.get('index')?.state, 'waiting');
      await start('bitcoind');
      const blocks = await until('blocks', ({ state }) => state === 'done');
      assert.equal(blocks.get('headers')?.detail, '0 headers');
      assert.notEqual(blocks.get('target')?.state, 'done');
      await start('target');
      const steps = await until('target', ({ state }) => state === 'done');
      assert.equal(steps.get('index')?.detail, 'block 0');
      assert.match(steps.get('target')?.detail ?? '', /^Fulcrum 2\..*, block 0$/);
      // No tor runs.
      assert.equal(steps.get('tor')?.state, 'working');
      assert.equal(steps.get('wallet-onion')?.state, 'waiting');
      assert.equal(steps.get('listed')?.state, 'skipped');
    });

    test('the index follows the chain', async () => {
      await mine(120);
      const steps = await until('index', ({ detail }) => detail === 'block 120');
      assert.equal(steps.get('blocks')?.detail, 'block 120');
    });

    test('a bitcoind that went away is missed, and the target still answers', async () => {
      await stop('bitcoind');
      await until('headers', ({ detail }) => detail.includes('does not run'));
      const steps = await until('target', ({ state }) => state === 'done');
      assert.notEqual(steps.get('blocks')?.state, 'done');
      await start('bitcoind');
      await until('blocks', ({ state }) => state === 'done');
    });

    test('a damaged index is told from one that is slow', async () => {
      await stop('target');
      const index = join(stack.plan.home.data('target'), 'fulcrum-regtest', 'fulc2_db');
      assert.ok((await readdir(index)).includes('CURRENT'));
      await truncate(join(index, 'CURRENT'), 0);
      await start('target');
      const steps = await until('index', ({ state }) => state === 'failed');
      assert.equal(steps.get('index')?.detail, 'the index is damaged');
      assert.match(steps.get('index')?.hint ?? '', /made anew/);
    });
  },
);
