import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { toHex } from '../src/base/bytes.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { startElectrumClient } from '../src/electrum/client.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { electrumHandler } from '../src/node/electrum-handler.ts';
import { followHeaders } from '../src/electrum/follow-headers.ts';
import { startRelayServer } from '../src/relay/relay-server.ts';
import type { LoadBatch, LoadOrder } from './gateway-load.ts';
import { measureSideBySide, medianOf, type Report, rounded } from './harness.ts';
import { GATEWAY_PRIMITIVES, primitives } from './primitives.ts';
import { testConsensusOf, testDirectory, testNode } from '../test/relay-fixtures.ts';

const ADDRESSES = 300;
/** The first half warms up and does not count: it takes thousands of cells until all is compiled. */
const ROUNDS = 20;
const RELAYS = { links: 8, cells: 16 };
const TIMEOUT_MS = 30_000;

/** In this order: the same addresses twice. */
const BATCHES = [
  { what: 'NOOP: nothing is asked of the Electrum server', op: 'NOOP' },
  { what: 'HISTORY of an address never asked for', op: 'HISTORY' },
  { what: 'HISTORY of an address asked for before', op: 'HISTORY' },
] as const satisfies readonly { what: string; op: LoadBatch['op'] }[];

/** The gateway runs in this process, alone; relays and the Electrum server in another. */
export async function bench(): Promise<readonly Report[]> {
  const load = fork(new URL('./gateway-load.js', import.meta.url));
  try {
    const { port } = await tell<{ port: number }>(load, { serve: { addresses: ADDRESSES } });
    const rounds: Measurement[][] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      // A new one knows no address, but its code has run.
      await using running = new Scope();
      const gateway = await startGateway(port, running);
      const measured: Measurement[] = [];
      for (const { op } of BATCHES) measured.push(await measureBatch(load, { ...gateway, op }));
      rounds.push(measured);
    }
    const rows = BATCHES.map(({ what }, index) => {
      const samples = rounds.slice(ROUNDS / 2).flatMap((measured) => measured[index] ?? []);
      const cpuUs = medianOf(samples.map((sample) => sample.cpuUs));
      return {
        what,
        transactions: rounded(medianOf(samples.map((sample) => sample.transactions))),
        'CPU us': Math.round(cpuUs),
        'per s and core': Math.round(1e6 / cpuUs),
        'x of its primitives': rounded(
          medianOf(samples.map((sample) => sample.cpuUs / sample.primitivesUs)),
        ),
      };
    });
    return [{ title: 'Gateway: open, ask, sign, seal', rows }];
  } finally {
    load.disconnect();
  }
}

interface Gateway {
  readonly port: number;
  readonly consensusHash: string;
}

async function startGateway(electrumPort: number, running: Scope): Promise<Gateway> {
  const { signal } = new AbortController();
  const node = testNode('gateway');
  const consensus = testConsensusOf([node]);
  const target = { host: '127.0.0.1', port: electrumPort };
  const client = running.use(
    await startElectrumClient({
      dial: (dialing) => loopbackDial(target, { signal: dialing, isolation: 'target' }),
      clientName: 'bench',
      timeoutMs: TIMEOUT_MS,
      log: silent,
      signal,
    }),
  );
  const common = { network: 'regtest', clock: Date.now, log: silent } as const;
  const headers = running.use(await followHeaders({ ...common, client, signal }));
  const { port } = running.use(
    await startRelayServer({
      ...common,
      listen: { host: '127.0.0.1', port: 0 },
      expectProxyHeader: false,
      identity: node.identity,
      directory: testDirectory(consensus),
      epochKeys: {
        keyFor: node.keyFor,
        published: () => [],
        [Symbol.asyncDispose]: () => Promise.resolve(),
      },
      handler: electrumHandler({ client, headers, clock: Date.now, software: 'bench' }),
      headers: () => new Uint8Array(0),
      dial: () => Promise.reject(new Error('this node is a gateway only')),
      limits: { gatewayQuota: { cellsPerSecond: 100_000, burst: 100_000 } },
    }),
  );
  return { port, consensusHash: toHex(consensus.hash) };
}

interface Measurement {
  /** Processor time of this process for one cell, all threads and the kernel's work included. */
  readonly cpuUs: number;
  /** Of its primitives, at the same time: it tells how busy the machine is with other things. */
  readonly primitivesUs: number;
  /** In one answer. */
  readonly transactions: number;
}

async function measureBatch(
  load: ChildProcess,
  { op, port, consensusHash }: Gateway & { op: LoadBatch['op'] },
): Promise<Measurement> {
  await tell(load, { prepare: { op, consensusHash } });
  const before = process.cpuUsage();
  await tell(load, { ask: { ...RELAYS, port } });
  const { user, system } = process.cpuUsage(before);
  const { transactions } = await tell<{ transactions: number }>(load, { check: true });
  const primitivesUs = await measurePrimitives();
  return { cpuUs: (user + system) / ADDRESSES, primitivesUs, transactions };
}

async function measurePrimitives(): Promise<number> {
  const needed = primitives.filter(({ name }) => GATEWAY_PRIMITIVES.includes(name));
  const measured = await measureSideBySide(needed, { rounds: 5, roundMs: 10 });
  return measured.reduce((sum, { cpuUs }) => sum + cpuUs, 0);
}

async function tell<T>(load: ChildProcess, order: LoadOrder): Promise<T> {
  load.send(order);
  const [message] = (await once(load, 'message')) as [T];
  return message;
}
