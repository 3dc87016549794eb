import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fromUtf8 } from '../base/bytes.ts';
import { Scope } from '../base/lifecycle.ts';
import type { Logger } from '../base/log.ts';
import type { Address } from '../io/dial.ts';
import { readIfPresent } from '../io/durable-file.ts';
import { type Reaper, startReaper } from '../io/reaper.ts';
import { socksDial } from '../io/socks-dial.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { LookupError } from '../lookup/fault.ts';
import type { Lookup } from '../lookup/lookup.ts';
import { openDirectLookup } from '../lookup/open-direct-lookup.ts';
import { openRelayedLookup } from '../lookup/open-relayed-lookup.ts';
import { startDevnetChain } from './chain-process.ts';
import { areEqual, type DemoResult, type TimedLookup, wayResult } from './demo-result.ts';
import { type DevnetNetwork, startDevnetNetwork, WALLET_PORT } from './network.ts';
import { startObservedPort } from './observed-port.ts';
import { addressesIn, seenByRoles } from './seen.ts';
import { fundWallet, type WalletAddress } from './wallet.ts';

export interface DemoOptions {
  readonly nodes: number;
  readonly addresses: number;
  readonly mixMs: number;
  readonly tickMs: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** One thing the demo does, for a list of them with progress. */
export interface DemoStep {
  readonly title: string;
  /** Resolves to what came of it, in a few words. */
  run(detail: (text: string) => void): Promise<string>;
}

/** Of temporary files: a run takes 3, and more the longer it is kept. */
const MEGABYTES = 50;
/** Who points a bridge at the demo wants to see it work. */
const POLL_MEAN_S = 20;

/** The whole of Sotto on one machine, for one wallet. Disposing it leaves nothing behind. */
export class Demo implements AsyncDisposable {
  readonly #options: DemoOptions;
  readonly #scope: Scope;
  readonly #startedAt = performance.now();
  readonly #reaper: Reaper;
  readonly #serverBytes = new Map<number, Uint8Array[]>();
  readonly directory: string;
  #electrum: Address | undefined;
  #wallet: readonly WalletAddress[] = [];
  #network: DevnetNetwork | undefined;
  #readyMs = 0;
  #direct: readonly TimedLookup[] = [];
  #directMs = 0;
  #relayed: readonly TimedLookup[] = [];
  #relayedMs = 0;
  #faults: readonly LookupError[] = [];

  private constructor(
    options: DemoOptions,
    scope: Scope,
    place: { directory: string; reaper: Reaper },
  ) {
    this.#options = options;
    this.#scope = scope;
    this.directory = place.directory;
    this.#reaper = place.reaper;
  }

  static async create(options: DemoOptions): Promise<Demo> {
    await using starting = new Scope();
    const reaper = starting.use(await startReaper());
    const { path } = starting.use(await makeTemporaryDirectory({ megabytes: MEGABYTES }));
    reaper.watchDirectory(path);
    return new Demo(options, starting.move(), { directory: path, reaper });
  }

  get steps(): readonly DemoStep[] {
    const { nodes, addresses } = this.#options;
    return [
      { title: 'Regtest chain, Electrum server, funded wallet', run: () => this.#startChain() },
      {
        title: `Private Tor network, 3 authorities, ${nodes} nodes with a tor each`,
        run: (detail) => this.#startNetwork(detail),
      },
      { title: `Direct lookup of ${addresses} addresses`, run: () => this.#lookUpDirectly() },
      { title: 'Relayed lookup of the same addresses', run: () => this.#lookUpRelayed() },
    ];
  }

  get network(): DevnetNetwork {
    if (this.#network === undefined) throw new Error('the network has not been started');
    return this.#network;
  }

  get socks(): Address {
    return this.network.client.socks;
  }

  get wallet(): readonly WalletAddress[] {
    return this.#wallet;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
  }

  async result(): Promise<DemoResult> {
    const direct = wayResult(this.#direct, this.#directMs);
    const relayed = wayResult(this.#relayed, this.#relayedMs);
    const gateways = new Set(
      this.#relayed.flatMap(({ answer }) =>
        answer instanceof LookupError || answer.source.kind !== 'gateway'
          ? []
          : [answer.source.nodeId],
      ),
    );
    const { consensus, signatures } = await this.network.latest();
    const { epoch, nodes } = consensus;
    return {
      ok: direct.ok && relayed.ok && areEqual(this.#direct, this.#relayed),
      readyMs: Math.round(this.#readyMs),
      consensus: { epoch, signatures, nodes: nodes.length },
      wallet: {
        addresses: this.#wallet.length,
        transactions: new Set(this.#wallet.flatMap(({ txids }) => txids)).size,
      },
      direct,
      relayed: {
        ...relayed,
        gateways: gateways.size,
        faults: this.#faults.map(({ message }) => message),
      },
      seen: await Promise.all(this.network.nodes.map((node) => this.#seenBy(node))),
      plainServer: {
        onion: this.network.walletOnion,
        connections: this.#serverBytes.size,
        addresses: addressesIn([...this.#serverBytes.values()].flat(), this.#wallet),
      },
    };
  }

  async #startChain(): Promise<string> {
    const { signal, addresses } = this.#options;
    const directory = join(this.directory, 'chain');
    const chain = this.#scope.use(
      await startDevnetChain({ directory, signal, reaper: this.#reaper }),
    );
    this.#electrum = chain.electrum;
    this.#wallet = await fundWallet(chain, { seed: randomBytes(32), addresses });
    return `${new Set(this.#wallet.flatMap(({ txids }) => txids)).size} transactions`;
  }

  async #startNetwork(detail: (text: string) => void): Promise<string> {
    const { nodes, mixMs, tickMs, signal } = this.#options;
    if (this.#electrum === undefined) throw new Error('the chain has not been started');
    const observed = this.#scope.use(
      await startObservedPort({
        to: this.#electrum,
        observe: (connection, bytes) => {
          const chunks = this.#serverBytes.get(connection) ?? [];
          this.#serverBytes.set(connection, [...chunks, bytes]);
        },
      }),
    );
    this.#network = this.#scope.use(
      await startDevnetNetwork({
        directory: this.directory,
        nodes,
        target: this.#electrum,
        walletTarget: observed,
        mixMs,
        tickMs,
        pollMeanS: POLL_MEAN_S,
        observed: true,
        signal,
        reaper: this.#reaper,
        onProgress: detail,
      }),
    );
    this.#readyMs = performance.now() - this.#startedAt;
    return `ready after ${(this.#readyMs / 1000).toFixed(1)} s`;
  }

  async #lookUpDirectly(): Promise<string> {
    await using lookup = await openDirectLookup({
      network: 'regtest',
      server: { host: this.network.walletOnion, port: WALLET_PORT },
      dial: socksDial(this.socks),
      directory: join(this.directory, 'client-direct'),
      clock: Date.now,
      log: this.#options.log,
      signal: this.#options.signal,
    });
    [this.#direct, this.#directMs] = await this.#lookUpWallet(lookup);
    return this.#sumUp(this.#direct, this.#directMs);
  }

  async #lookUpRelayed(): Promise<string> {
    await using lookup = await openRelayedLookup({
      policy: this.network.policy,
      dial: socksDial(this.socks),
      directory: join(this.directory, 'client-relayed'),
      clock: Date.now,
      log: this.#options.log,
      signal: this.#options.signal,
    });
    [this.#relayed, this.#relayedMs] = await this.#lookUpWallet(lookup);
    this.#faults = lookup.faults;
    return this.#sumUp(this.#relayed, this.#relayedMs);
  }

  async #lookUpWallet(lookup: Lookup): Promise<[TimedLookup[], totalMs: number]> {
    const { signal } = this.#options;
    const start = performance.now();
    const lookups = await Promise.all(
      this.#wallet.map(async (address): Promise<TimedLookup> => {
        const answer = await lookup.history(address.scriptHash, { signal }).catch(asFault);
        return { address, answer, tookMs: performance.now() - start };
      }),
    );
    return [lookups, performance.now() - start];
  }

  #sumUp(lookups: readonly TimedLookup[], totalMs: number): string {
    const { verified, ok } = wayResult(lookups, totalMs);
    const seconds = (totalMs / 1000).toFixed(1);
    const problem = ok ? '' : ', NOT what was paid';
    return `${verified} of ${lookups.length} verified in ${seconds} s${problem}`;
  }

  async #seenBy({ nodeId, onion, observeFile }: DevnetNetwork['nodes'][number]) {
    const observed = fromUtf8((await readIfPresent(observeFile)) ?? new Uint8Array());
    return { nodeId, onion, ...seenByRoles(observed, this.#wallet) };
  }
}

function asFault(error: unknown): LookupError {
  if (error instanceof LookupError) return error;
  throw error;
}
