import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { silent } from '../src/base/log.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { startDevnetChain, type DevnetChain } from '../src/devnet/chain-process.ts';
import { type DevnetNetwork, startDevnetNetwork, WALLET_PORT } from '../src/devnet/network.ts';
import { fundWallet, type WalletAddress } from '../src/devnet/wallet.ts';
import type { ElectrumClient } from '../src/electrum/client.ts';
import { startReaper } from '../src/io/reaper.ts';
import { socksDial } from '../src/io/socks-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import type { Lookup } from '../src/lookup/lookup.ts';
import { openDirectLookup } from '../src/lookup/open-direct-lookup.ts';
import { openRelayedLookup } from '../src/lookup/open-relayed-lookup.ts';
import type { Tor } from '../src/tor/tor-process.ts';
import { medianOf, type Report, rounded } from './harness.ts';
import { openPlain, syncPlainly } from './plain-calls.ts';

// Over onion services of a private Tor network: what a relayed lookup costs beside a direct one and
// beside the calls a wallet makes. Mix and tick are 0, so that only the way itself is measured; the
// second network adds to each onion what the real Tor network does.

const NODES = 4;
const ADDRESSES = 100;
/** To every fourth address: 200 transactions in all, as many as fit a cell at each address. */
const SEVERAL = 5;
const DELAYS_MS = [0, 300];
const SINGLE_LOOKUPS = 20;
const WALLET_ROUNDS = 5;

const { signal } = new AbortController();
// A hundred lookups at once wait on it.
setMaxListeners(0, signal);
const clock = Date.now;
const log = silent;

export async function bench(): Promise<readonly Report[]> {
  const reports: Report[] = [];
  for (const delayMs of DELAYS_MS) reports.push(...(await benchAt(delayMs)));
  return reports;
}

async function benchAt(delayMs: number): Promise<readonly Report[]> {
  await using scope = new Scope();
  const reaper = scope.use(await startReaper());
  const { path: directory } = scope.use(await makeTemporaryDirectory());
  reaper.watchDirectory(directory);
  const chain = scope.use(
    await startDevnetChain({ directory: join(directory, 'chain'), signal, reaper }),
  );
  const wallet = await fundedWallet(chain);
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
  const ways = { network, tor, directory };
  const named = `${delayMs} ms added to each onion round trip`;
  return [
    { title: `One lookup over onions, ${named}`, rows: await singleLookups(ways, wallet) },
    {
      title: `Wallet of ${ADDRESSES} addresses, ${transactionsOf(wallet)} transactions, ${named}`,
      rows: await wholeWallets(ways, wallet),
    },
  ];
}

interface Ways {
  readonly network: DevnetNetwork;
  readonly tor: Tor;
  readonly directory: string;
}

type Row = Report['rows'][number];

/** One after the other in turns, each address once or several times, links warm. */
async function singleLookups(ways: Ways, wallet: readonly WalletAddress[]): Promise<Row[]> {
  await using scope = new Scope();
  const direct = scope.use(await openDirect(ways));
  const relayed = scope.use(await openRelayed(ways, 'single'));
  const plain = scope.use(await openOnion(ways));
  const usual = wallet.filter(({ use }) => use === 'once');
  await Promise.all(usual.map(({ scriptHash }) => relayed.history(scriptHash, { signal })));
  const [plainMs, directMs, relayedMs]: [number[], number[], number[]] = [[], [], []];
  for (let index = 0; index < SINGLE_LOOKUPS; index += 1) {
    const scriptHash = usual[index % usual.length]?.scriptHash ?? '';
    const history = 'blockchain.scripthash.get_history';
    plainMs.push(await timed(() => plain.call(history, { scripthash: scriptHash })));
    directMs.push(await timed(() => direct.history(scriptHash, { signal })));
    relayedMs.push(await timed(() => relayed.history(scriptHash, { signal })));
  }
  const call = medianOf(plainMs);
  return [
    row('one Electrum call, get_history', call, call),
    row('direct lookup, verified', medianOf(directMs), call),
    row('relayed lookup, verified', medianOf(relayedMs), call),
  ];
}

/** Everything from nothing in each round: connections, consensus, headers. */
async function wholeWallets(ways: Ways, wallet: readonly WalletAddress[]): Promise<Row[]> {
  const [plainCold, plainWarm, directWarm, relayedCold, relayedWarm]: number[][] = [
    [],
    [],
    [],
    [],
    [],
  ];
  for (let round = 0; round <= WALLET_ROUNDS; round += 1) {
    const samples = [
      ...(await roundOf(
        () => openOnion(ways),
        (client) => syncPlainly(client, wallet),
      )),
      ...(
        await roundOf(
          () => openDirect(ways, `direct-${round}`),
          (way) => syncAll(way, wallet),
        )
      ).slice(1),
      ...(await roundOf(
        () => openRelayed(ways, `wallet-${round}`),
        (way) => syncAll(way, wallet),
      )),
    ];
    // The first round warms up the processes.
    if (round === 0) continue;
    for (const [index, kept] of [
      plainCold,
      plainWarm,
      directWarm,
      relayedCold,
      relayedWarm,
    ].entries()) {
      kept?.push(samples[index] ?? 0);
    }
  }
  const cold = medianOf(plainCold ?? []);
  const warm = medianOf(plainWarm ?? []);
  return [
    row('plain Electrum calls, from nothing', cold, cold),
    row('relayed and verified, from nothing', medianOf(relayedCold ?? []), cold),
    row('plain Electrum calls, connected', warm, warm),
    row('direct and verified, connected', medianOf(directWarm ?? []), warm),
    row('relayed and verified, connected', medianOf(relayedWarm ?? []), warm),
  ];
}

/** Opens a way and syncs, then syncs once more with what is open: both times in ms. */
async function roundOf<T extends AsyncDisposable>(
  open: () => Promise<T>,
  sync: (way: T) => Promise<void>,
): Promise<[coldMs: number, warmMs: number]> {
  const start = performance.now();
  await using way = await open();
  await sync(way);
  const coldMs = performance.now() - start;
  return [coldMs, await timed(() => sync(way))];
}

async function syncAll(way: Lookup, wallet: readonly WalletAddress[]): Promise<void> {
  const answers = await Promise.all(
    wallet.map(({ scriptHash }) => way.history(scriptHash, { signal })),
  );
  for (const [index, { entries }] of answers.entries()) {
    if (entries.length !== wallet[index]?.txids.length) throw new Error('a history is incomplete');
  }
}

function openDirect({ network, tor, directory }: Ways, name = 'direct'): Promise<Lookup> {
  return openDirectLookup({
    network: 'regtest',
    server: { host: network.walletOnion, port: WALLET_PORT },
    dial: socksDial(tor.socks),
    directory: join(directory, name),
    clock,
    log,
    signal,
  });
}

function openRelayed({ network, tor, directory }: Ways, name: string): Promise<Lookup> {
  return openRelayedLookup({
    policy: network.policy,
    dial: socksDial(tor.socks),
    directory: join(directory, name),
    clock,
    log,
    signal,
  });
}

function openOnion({ network, tor }: Ways): Promise<ElectrumClient> {
  const dial = socksDial(tor.socks);
  const server = { host: network.walletOnion, port: WALLET_PORT };
  const isolation = `plain ${performance.now()}`;
  return openPlain((dialing) => dial(server, { isolation, signal: dialing }));
}

async function fundedWallet(chain: DevnetChain): Promise<WalletAddress[]> {
  const seed = new Uint8Array(32).fill(7);
  return await fundWallet(chain, { seed, addresses: ADDRESSES, several: SEVERAL });
}

function transactionsOf(wallet: readonly WalletAddress[]): number {
  return new Set(wallet.flatMap(({ txids }) => txids)).size;
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

function row(way: string, ms: number, referenceMs: number): Row {
  return { way, 'median ms': rounded(ms), ratio: rounded(ms / referenceMs) };
}
