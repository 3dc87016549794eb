import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Scope } from '../src/base/lifecycle.ts';
import { type DevnetChain, startDevnetChain } from '../src/devnet/chain-process.ts';
import { type DevnetNetwork, startDevnetNetwork, WALLET_PORT } from '../src/devnet/network.ts';
import { startProgram } from '../src/devnet/program.ts';
import { fundWallet, type WalletAddress } from '../src/devnet/wallet.ts';
import type { ElectrumClient } from '../src/electrum/client.ts';
import { formatAddress, parseAddress } from '../src/io/dial.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { type Reaper, startReaper } from '../src/io/reaper.ts';
import { socksDial } from '../src/io/socks-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import type { Tor } from '../src/tor/tor-process.ts';
import { medianOf, type Report, rounded } from './harness.ts';
import { openPlain, subscribeAll, syncAsElectrum, syncPlainly } from './plain-calls.ts';

// A large wallet over onion services of a private Tor network: what it takes through a bridge that
// asks the network, beside the same calls to one server's onion. Mix and tick are 0, so that only the
// way itself is measured; the second network adds to each onion what the real Tor network does.

/** Enough that no relay gets more of this wallet than the 600 cells it takes of a circuit in 10 minutes. */
const NODES = 7;
const ADDRESSES = 1000;
/** To every fourth address: 5,000 transactions in all. */
const SEVERAL = 17;
const DELAYS_MS = [0, 300];
const ROUNDS = 3;

const { signal } = new AbortController();

export async function bench(): Promise<readonly Report[]> {
  await using scope = new Scope();
  const reaper = scope.use(await startReaper());
  const { path: directory } = scope.use(await makeTemporaryDirectory());
  reaper.watchDirectory(directory);
  const chain = scope.use(
    await startDevnetChain({ directory: join(directory, 'chain'), signal, reaper }),
  );
  const seed = new Uint8Array(32).fill(7);
  const wallet = await fundWallet(chain, { seed, addresses: ADDRESSES, several: SEVERAL });
  const reports: Report[] = [];
  for (const delayMs of DELAYS_MS) {
    const place = { directory: join(directory, `delay-${delayMs}`), reaper, delayMs };
    reports.push(...(await benchAt({ ...place, chain, wallet })));
  }
  return reports;
}

interface Stage {
  readonly directory: string;
  readonly reaper: Reaper;
  readonly delayMs: number;
  readonly chain: DevnetChain;
  readonly wallet: readonly WalletAddress[];
}

async function benchAt({ directory, reaper, delayMs, chain, wallet }: Stage): Promise<Report[]> {
  await using scope = new Scope();
  const network = scope.use(
    await startDevnetNetwork({
      directory,
      nodes: NODES,
      target: chain.electrum,
      delayMs,
      signal,
      reaper,
    }),
  );
  const tor = network.client;
  const rounds: Round[] = [];
  // The first one warms up the processes.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const state = join(directory, `state-${round}`);
    rounds.push(await measure({ network, tor, reaper, state }, wallet));
  }
  const median = (of: (round: Round) => number): number => medianOf(rounds.slice(1).map(of));
  const plainMs = median(({ atOnce }) => atOnce.plainMs);
  const inTurnMs = median(({ inTurn }) => inTurn.plainMs);
  const row = (what: string, ms: number, beside: number): Report['rows'][number] => ({
    what,
    'median ms': rounded(ms),
    ratio: rounded(ms / beside),
  });
  const transactions = new Set(wallet.flatMap(({ txids }) => txids)).size;
  const size = `${ADDRESSES} addresses, ${transactions} transactions`;
  const title = `Wallet of ${size}, ${delayMs} ms added to each onion round trip`;
  const first = 'through a new bridge, with its start, from nothing';
  return [
    {
      title: `${title}, asking 100 at a time in each of two jobs, as Electrum does`,
      rows: [
        row('plain Electrum calls over one onion, from nothing', inTurnMs, inTurnMs),
        row(
          first,
          median(({ inTurn }) => inTurn.firstMs),
          inTurnMs,
        ),
      ],
    },
    {
      title: `${title}, asking all at once`,
      rows: [
        row('plain Electrum calls over one onion, from nothing', plainMs, plainMs),
        row(
          first,
          median(({ atOnce }) => atOnce.firstMs),
          plainMs,
        ),
        row(
          'a restart of the bridge, until it listens',
          median((round) => round.restartMs),
          plainMs,
        ),
        row(
          'all subscriptions answered after that',
          median((round) => round.subscribedMs),
          plainMs,
        ),
      ],
    },
    {
      title: `The process of that bridge`,
      rows: [
        {
          when: 'after the first sync',
          MB: median(({ atOnce }) => atOnce.firstMb),
          'processor s': rounded(median(({ atOnce }) => atOnce.cpuS)),
        },
        { when: 'at its peak', MB: median(({ atOnce }) => atOnce.peakMb) },
        { when: 'after the restart', MB: median((round) => round.restartMb) },
      ],
    },
  ];
}

interface Round {
  readonly inTurn: Sync;
  readonly atOnce: Sync;
  readonly restartMs: number;
  readonly subscribedMs: number;
  readonly restartMb: number;
}

interface Sync {
  readonly plainMs: number;
  readonly firstMs: number;
  readonly firstMb: number;
  readonly peakMb: number;
  /** Of all threads of the bridge. */
  readonly cpuS: number;
}

interface Ways {
  readonly network: DevnetNetwork;
  readonly tor: Tor;
  readonly reaper: Reaper;
  /** Of the bridge. */
  readonly state: string;
}

async function measure(ways: Ways, wallet: readonly WalletAddress[]): Promise<Round> {
  const inTurn = { ...ways, state: `${ways.state}-in-turn` };
  return {
    inTurn: await firstSync(inTurn, (client) => syncAsElectrum(client, wallet)),
    atOnce: await firstSync(ways, (client) => syncPlainly(client, wallet)),
    ...(await restart(ways, wallet)),
  };
}

/** The same, of one server and of a new bridge. */
async function firstSync(
  ways: Ways,
  sync: (client: ElectrumClient) => Promise<void>,
): Promise<Sync> {
  const plainMs = await timed(async () => {
    await using client = await openOnion(ways);
    await sync(client);
  });
  const started = performance.now();
  await using bridge = await startBridge(ways);
  await using client = await openLoopback(bridge.ready.electrum);
  await sync(client);
  return {
    plainMs,
    firstMs: performance.now() - started,
    firstMb: memoryOf(bridge, 'VmRSS'),
    peakMb: memoryOf(bridge, 'VmHWM'),
    cpuS: processorSecondsOf(bridge),
  };
}

type Restart = Pick<Round, 'restartMs' | 'subscribedMs' | 'restartMb'>;

async function restart(ways: Ways, wallet: readonly WalletAddress[]): Promise<Restart> {
  const started = performance.now();
  await using bridge = await startBridge(ways);
  const restartMs = performance.now() - started;
  const subscribedMs = await timed(async () => {
    await using client = await openLoopback(bridge.ready.electrum);
    await subscribeAll(client, wallet);
  });
  return { restartMs, subscribedMs, restartMb: memoryOf(bridge, 'VmRSS') };
}

const readyLine = z.object({ electrum: z.string() });

type BridgeProcess = Awaited<ReturnType<typeof startBridge>>;

function startBridge({ network, tor, reaper, state }: Ways) {
  const { policyFile } = network;
  const where = ['--socks', formatAddress(tor.socks), '--listen', '127.0.0.1:0', '--state', state];
  return startProgram({
    file: 'cli/main.js',
    args: ['bridge', '--relayed', '--policy', policyFile, ...where, '--json'],
    ready: readyLine,
    signal,
    reaper,
  });
}

function openOnion({ network, tor }: Ways): Promise<ElectrumClient> {
  const dial = socksDial(tor.socks);
  const server = { host: network.walletOnion, port: WALLET_PORT };
  const isolation = `plain ${performance.now()}`;
  return openPlain((dialing) => dial(server, { isolation, signal: dialing }));
}

function openLoopback(electrum: string): Promise<ElectrumClient> {
  const address = parseAddress(electrum);
  return openPlain((dialing) => loopbackDial(address, { isolation: '', signal: dialing }));
}

/** In MB, as the kernel counts it (proc(5), /proc/pid/status). */
function memoryOf({ pid }: BridgeProcess, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  return Math.round(Number(kilobytes) / 1000);
}

const TICKS_A_SECOND = 100;

/** As the kernel counts them (proc(5), /proc/pid/stat): utime and stime follow what is in brackets. */
function processorSecondsOf({ pid }: BridgeProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
