import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, test } from 'vitest';
import * as z from 'zod';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { NETWORKS } from '../src/bitcoin/networks.ts';
import { BitcoinRpcError, RPC_IN_WARMUP, RpcClient } from '../src/bitcoin/rpc-client.ts';
import { parseYaml } from '../src/config/load-yaml.ts';
import { PORTS_IN_A_ROW, stackConfigSchema } from '../src/config/stack-config.ts';
import { startElectrumClient } from '../src/electrum/client.ts';
import { ElectrumClientError } from '../src/electrum/client-error.ts';
import { type Child, startChild } from '../src/io/child-process.ts';
import { DialError } from '../src/io/dial.ts';
import { findProgram } from '../src/io/find-program.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { writePlan } from '../src/stack/apply.ts';
import { homeAt } from '../src/stack/home.ts';
import { makePlan, type Plan } from '../src/stack/plan.ts';
import { makeSecrets, onionAddresses } from '../src/stack/secrets.ts';
import type { ServiceName } from '../src/stack/service.ts';

const PROGRAMS = ['bitcoind', 'Fulcrum'];
const found = await Promise.all(PROGRAMS.map((name) => findProgram(name)));
const missing = PROGRAMS.filter((_, index) => found[index] === undefined);

const { signal } = new AbortController();
const WAIT = { timeoutMs: 30_000, intervalMs: 100, signal };
const HASH = z.string().regex(/^[0-9a-f]{64}$/);
const anything = z.unknown();
const NETWORK_INFO = z.object({
  networks: z.array(z.object({ name: z.string(), reachable: z.boolean(), proxy: z.string() })),
  localaddresses: z.array(z.object({ address: z.string(), port: z.int() })),
});

/** A written plan, and its services as its commands start them. No tor is there to reach. */
interface Written {
  readonly plan: Plan;
  readonly lines: readonly string[];
  readonly rpc: RpcClient;
  /** As the target calls. */
  readonly targetRpc: RpcClient;
  start(name: ServiceName): Promise<Child>;
}

describe.skipIf(missing.length > 0)(
  missing.length === 0
    ? 'the plan with bitcoind and Fulcrum'
    : `SKIPPED because ${missing.join(' and ')} cannot be found on PATH: the plan with bitcoind and Fulcrum`,
  () => {
    let scope = new Scope();
    afterEach(async () => {
      await scope[Symbol.asyncDispose]();
      scope = new Scope();
    });

    async function write(yaml: string): Promise<Written> {
      const { path } = scope.use(await makeTemporaryDirectory());
      const home = homeAt(path);
      const [firstPort = 0] = await findFreePorts(PORTS_IN_A_ROW);
      const secrets = await makeSecrets(home);
      const text = `${yaml}\nbackend: process\nprocess: { first_port: ${firstPort} }\n`;
      const plan = makePlan({
        config: parseYaml({ path: 'sotto.yaml', text, schema: stackConfigSchema }),
        home,
        facts: {
          uid: process.getuid?.() ?? 0,
          gid: process.getgid?.() ?? 0,
          memoryMiB: 4096,
          onions: onionAddresses(secrets),
          targetRpc: secrets.targetRpc,
          initialSyncDone: true,
          images: { tor: '', bitcoind: '', target: '', node: '' },
        },
      });
      await writePlan({ plan, secrets });
      const address = plan.endpoints.bitcoind.rpc;
      const client = (file: string): RpcClient =>
        new RpcClient({ address, credentials: () => readFile(file, 'utf8'), timeoutMs: 10_000 });
      const lines: string[] = [];
      return {
        plan,
        lines,
        rpc: client(join(home.data('bitcoind'), '.cookie')),
        targetRpc: client(join(home.config('target'), 'rpc-cookie')),
        async start(name) {
          const spec = plan.services.find((service) => service.name === name);
          assert.ok(spec);
          const [command, ...args] = spec.command;
          return scope.use(
            await startChild({
              command,
              args,
              onLine: (line) => lines.push(line),
              stopTimeoutMs: 20_000,
              signal,
            }),
          );
        },
      };
    }

    async function startBitcoind(written: Written): Promise<void> {
      const bitcoind = await written.start('bitcoind');
      const answers = async (): Promise<true | undefined> => {
        try {
          await written.rpc.call({ method: 'getblockcount', result: z.int(), signal });
          return true;
        } catch (error) {
          // Neither the cookie nor the port is there at once.
          if (error instanceof BitcoinRpcError && error.code !== RPC_IN_WARMUP) throw error;
          return undefined;
        }
      };
      const what = 'bitcoind to answer';
      await Promise.race([waitUntil(answers, { what, ...WAIT }), bitcoind.failed]);
    }

    async function isRefused(rpc: RpcClient, method: string): Promise<boolean> {
      try {
        await rpc.call({ method, result: anything, signal });
        return false;
      } catch (error) {
        // bitcoind answers 403 with no body.
        return error instanceof SyntaxError;
      }
    }

    const cases = NETWORKS.flatMap((network) =>
      (['fulcrum', 'electrs'] as const).map((target) => ({ network, target })),
    );

    test.each(cases)(
      'on $network for $target bitcoind reaches onions only and tells peers one address',
      async ({ network, target }) => {
        const written = await write(`network: ${network}\ntarget: ${target}`);
        await startBitcoind(written);
        const { rpc, targetRpc, plan } = written;
        const info = await rpc.call({ method: 'getnetworkinfo', result: NETWORK_INFO, signal });
        const proxy = `127.0.0.1:${plan.endpoints.socks.bitcoind.port}`;
        assert.deepEqual(
          info.networks.filter(({ reachable }) => reachable),
          [{ name: 'onion', reachable: true, proxy }],
        );
        const ports = { mainnet: 8333, testnet4: 48_333, signet: 38_333, regtest: 18_444 };
        assert.deepEqual(info.localaddresses, [{ address: plan.onions.p2p, port: ports[network] }]);
        assert.equal(await isRefused(rpc, 'getmininginfo'), network !== 'regtest');
        for (const method of ['getpeerinfo', 'addnode', 'getmininginfo']) {
          assert.ok(await isRefused(targetRpc, method), method);
        }
        assert.deepEqual(
          written.lines.filter((line) => /Ignoring|\[warning\] (?!Disk space|RPC User)/.test(line)),
          [],
        );
      },
    );

    test('Fulcrum serves an empty chain, follows it, and never asks for what it may not', async () => {
      const written = await write('network: regtest');
      const { rpc, plan, lines } = written;
      await startBitcoind(written);
      const fulcrum = await written.start('target');
      const client = await Promise.race([
        waitUntil(
          async () => {
            try {
              return await startElectrumClient({
                dial: (dialing) =>
                  loopbackDial(plan.endpoints.target.node, { signal: dialing, isolation: '' }),
                clientName: 'sotto',
                timeoutMs: 10_000,
                log: silent,
                signal,
              });
            } catch (error) {
              if (error instanceof DialError || error instanceof ElectrumClientError) return;
              throw error;
            }
          },
          { what: 'Fulcrum to answer', ...WAIT },
        ),
        fulcrum.failed,
      ]);
      scope.use(client);
      assert.equal((await client.call('blockchain.headers.subscribe', {})).height, 0);

      await rpc.call({ method: 'createwallet', params: ['w'], result: anything, signal });
      const address = await rpc.call({ method: 'getnewaddress', result: z.string(), signal });
      const mining = { method: 'generatetoaddress', params: [101, address] };
      await rpc.call({ ...mining, result: z.array(HASH), signal });
      const hasHeight = async (): Promise<true | undefined> =>
        (await client.call('blockchain.headers.subscribe', {})).height === 101 || undefined;
      await waitUntil(hasHeight, { what: 'Fulcrum to follow', ...WAIT });

      const inputs = [{ [address]: 1 }];
      const call = { result: z.looseObject({ psbt: z.string() }), signal };
      const { psbt } = await rpc.call({
        method: 'walletcreatefundedpsbt',
        params: [[], inputs],
        ...call,
      });
      const signed = await rpc.call({ method: 'walletprocesspsbt', params: [psbt], ...call });
      const { hex } = await rpc.call({
        method: 'finalizepsbt',
        params: [signed.psbt],
        result: z.looseObject({ hex: z.string() }),
        signal,
      });
      const txid = await client.call('blockchain.transaction.broadcast', { raw_tx: hex });
      const raw = await client.call('blockchain.transaction.get', {
        tx_hash: txid,
        verbose: false,
      });
      assert.equal(raw, hex);
      await client.call('blockchain.estimatefee', { number: 2 });
      await client.call('mempool.get_info', {});
      assert.deepEqual(
        lines.filter((line) => line.includes('not allowed to call method')),
        [],
      );
    });

    test('a data directory that was brought along does not undo the isolation', async () => {
      const old = scope.use(await makeTemporaryDirectory());
      await writeFile(join(old.path, 'bitcoin.conf'), 'onlynet=ipv4\ndnsseed=1\n');
      await writeFile(join(old.path, 'settings.json'), '{"proxy":"127.0.0.1:1","dns":true}');
      const written = await write(`network: mainnet\nbitcoin_data: ${old.path}`);
      const { plan } = written;
      const rpc = new RpcClient({
        address: plan.endpoints.bitcoind.rpc,
        credentials: () => readFile(join(old.path, '.cookie'), 'utf8'),
        timeoutMs: 10_000,
      });
      await startBitcoind({ ...written, rpc });
      const { networks } = await rpc.call({
        method: 'getnetworkinfo',
        result: NETWORK_INFO,
        signal,
      });
      const proxy = `127.0.0.1:${plan.endpoints.socks.bitcoind.port}`;
      assert.deepEqual(
        networks.filter(({ reachable }) => reachable),
        [{ name: 'onion', reachable: true, proxy }],
      );
    });
  },
);
