import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { silent } from '../src/base/log.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { DEFAULT_RELAY_LIMITS } from '../src/relay/relay-limits.ts';
import { type RelayServer, startRelayServer } from '../src/relay/relay-server.ts';
import type { LoadOrder } from './forwarding-load.ts';
import type { Report } from './harness.ts';
import { testConsensusOf, testDirectory, testNode } from '../test/relay-fixtures.ts';

const GATEWAYS = 8;
const CLIENTS = 64;
const CELLS_PER_CLIENT = 64;
const WARM_UP_MS = 3_000;
const MEASURED_MS = 8_000;

/** The relay runs in this process, alone; clients and gateways in another. */
export async function bench(): Promise<readonly Report[]> {
  const load = fork(new URL('./forwarding-load.js', import.meta.url));
  try {
    tell(load, { gateways: GATEWAYS });
    const { ports } = await reply<{ ports: number[] }>(load);
    await using relay = await startRelay(ports);
    const bytes = await memoryOfHeldCells(load, relay);
    const { perCpuSecond, perSecond } = await throughput(load);
    const rows = [
      { what: 'cells forwarded and answered, per s and core', value: perCpuSecond },
      { what: 'the same per s on the clock, beside the load', value: perSecond },
      { what: 'bytes of memory per cell in flight', value: bytes },
    ];
    return [{ title: 'Relay forwarding', rows }];
  } finally {
    load.disconnect();
  }
}

const gateways = Array.from({ length: GATEWAYS }, (_, index) => testNode(`gateway-${index}`));

async function startRelay(ports: readonly number[]): Promise<RelayServer> {
  const relay = testNode('relay');
  const consensus = testConsensusOf([relay, ...gateways], { 'mix-ms': 500, 'tick-ms': 250 });
  const server = await startRelayServer({
    listen: { host: '127.0.0.1', port: 0 },
    network: 'regtest',
    expectProxyHeader: false,
    identity: relay.identity,
    directory: testDirectory(consensus),
    epochKeys: {
      keyFor: relay.keyFor,
      published: () => [],
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    handler: () => Promise.reject(new Error('this node is a relay only')),
    headers: () => new Uint8Array(0),
    dial: ({ host }, options) => {
      const index = gateways.findIndex(({ listed }) => listed.onion.host === host);
      return loopbackDial({ host: '127.0.0.1', port: ports[index] ?? 0 }, options);
    },
    clock: Date.now,
    log: silent,
    limits: {
      ...DEFAULT_RELAY_LIMITS,
      cellsPerCircuit: 1e9,
      cellsInFlightPerGateway: CLIENTS * CELLS_PER_CLIENT,
    },
  });
  while (server.warm.length < GATEWAYS) await sleep(10);
  return server;
}

/** Gateways take the cells and answer none, until the memory has been measured. */
async function memoryOfHeldCells(load: ChildProcess, { port }: RelayServer): Promise<number> {
  tell(load, { answering: false });
  const before = await memory();
  tell(load, {
    clients: {
      links: CLIENTS,
      cells: CELLS_PER_CLIENT,
      port,
      nodeIds: gateways.map(({ identity }) => identity.nodeId),
    },
  });
  await sleep(WARM_UP_MS);
  const after = await memory();
  tell(load, { answering: true });
  return Math.round((after - before) / (CLIENTS * CELLS_PER_CLIENT));
}

/** The first cells are answered by the relay's own timeout; each then makes room for another. */
async function throughput(
  load: ChildProcess,
): Promise<{ perCpuSecond: number; perSecond: number }> {
  await sleep(DEFAULT_RELAY_LIMITS.cellTimeoutMs + WARM_UP_MS);
  const [countBefore, cpuBefore, start] = [
    await count(load),
    process.cpuUsage(),
    performance.now(),
  ];
  await sleep(MEASURED_MS);
  const cpu = process.cpuUsage(cpuBefore);
  const cells = (await count(load)) - countBefore;
  return {
    perCpuSecond: Math.round(cells / ((cpu.user + cpu.system) / 1e6)),
    perSecond: Math.round(cells / ((performance.now() - start) / 1e3)),
  };
}

async function count(load: ChildProcess): Promise<number> {
  tell(load, { count: true });
  return (await reply<{ answered: number }>(load)).answered;
}

function tell(load: ChildProcess, order: LoadOrder): void {
  load.send(order);
}

async function reply<T>(load: ChildProcess): Promise<T> {
  const [message] = (await once(load, 'message')) as [T];
  return message;
}

async function memory(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round++) {
    collect();
    await sleep(100);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
