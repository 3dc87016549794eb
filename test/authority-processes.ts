import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { Duplex } from 'node:stream';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { authorityPeer } from '../src/authority/authority-peers.ts';
import { utf8 } from '../src/base/bytes.ts';
import { silent } from '../src/base/log.ts';
import type { ChainBackend } from '../src/devnet/chain-backend.ts';
import { type EmbeddedChain, startEmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { verifyConsensus } from '../src/directory/accept-consensus.ts';
import type { Consensus } from '../src/directory/consensus.ts';
import { signDescriptor } from '../src/directory/descriptor.ts';
import { DIRECTORY_KINDS } from '../src/directory/directory-view.ts';
import { parsePolicy, type Policy } from '../src/directory/policy.ts';
import { signingKeyFromSeed } from '../src/directory/signing-key.ts';
import type { Timeline } from '../src/directory/timeline.ts';
import { type Address, type Dial, DialError, formatAddress } from '../src/io/dial.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { programPath } from '../src/io/program-path.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { PUT_KINDS, type Taken } from '../src/relay/frame-payload.ts';
import { LinkError } from '../src/relay/link-error.ts';
import { openRelayLink } from '../src/relay/relay-link.ts';
import { onionKeyFromSeed } from '../src/tor/onion-key.ts';
import { testKeyConfig, testSeed, testStatement } from './test-directory.ts';

const NO_DIGEST = new Uint8Array(32);
const { signal } = new AbortController();
const DAY = 86_400;
const ONION_PORT = 50_010;
const REACHING = { timeoutMs: 60_000, intervalMs: 500 };

/** Where an authority is, before it runs. */
export interface AuthorityPlace {
  readonly name: string;
  readonly onionSeed: Uint8Array;
  readonly onion: Address;
  /** On loopback: what the onion leads to. */
  readonly listen: Address;
}

interface FoundOptions {
  readonly count: number;
  readonly directory: string;
  readonly timeline: Timeline;
  readonly expectProxyHeader: boolean;
  /** How often they look at nodes; usually every half hour. */
  readonly probeSeconds?: number | undefined;
  /** Of the network, besides those that all tests have. */
  readonly params?: Readonly<Record<string, number>>;
  /** Makes the onions lead there; gives for each authority the SOCKS port that it is to use. */
  readonly connect: (places: readonly AuthorityPlace[]) => Promise<readonly Address[]>;
}

interface Ending {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function sotto(...args: readonly string[]): Promise<Ending> {
  const child = spawn(process.execPath, [programPath('cli/main.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const [[exit], stdout, stderr] = await Promise.all([
    exited,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { exit, stdout, stderr };
}

/** `sotto authority run` in a process of its own. */
export class AuthorityProcess {
  readonly name: string;
  readonly place: AuthorityPlace;
  readonly configPath: string;
  #child: ChildProcess | undefined;

  constructor(place: AuthorityPlace, configPath: string) {
    this.name = place.name;
    this.place = place;
    this.configPath = configPath;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const args = ['authority', 'run', '--config', this.configPath, '--log-level', 'error'];
    const child = spawn(process.execPath, [programPath('cli/main.js'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      assert.deepEqual(JSON.parse(line), { port: this.place.listen.port });
      return;
    }
    throw new Error(`${this.name} did not start`);
  }

  async end(how: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill(how);
    await exited;
  }
}

/** Authorities of a network that was just founded, none of them running yet. */
export class AuthorityProcesses implements AsyncDisposable {
  readonly policy: Policy;
  readonly all: readonly AuthorityProcess[];
  /** What the targets of all of them serve. */
  readonly #chain: EmbeddedChain;

  private constructor(policy: Policy, all: readonly AuthorityProcess[], chain: EmbeddedChain) {
    this.policy = policy;
    this.all = all;
    this.#chain = chain;
  }

  /** Their chain, to pay and mine on. */
  get chain(): ChainBackend {
    return this.#chain;
  }

  /** An Electrum server of their chain. */
  get target(): Address {
    return this.#chain.electrum;
  }

  /** Keys, a policy, and a configuration for each. */
  static async found(options: FoundOptions): Promise<AuthorityProcesses> {
    const { count, directory, timeline, expectProxyHeader, probeSeconds } = options;
    const ports = await findFreePorts(count);
    const places = ports.map((port, index): AuthorityPlace => {
      const onionSeed = testSeed(`onion of authority ${index + 1}`);
      return {
        name: `authority-${index + 1}`,
        onionSeed,
        onion: { host: onionKeyFromSeed(onionSeed).address, port: ONION_PORT },
        listen: { host: '127.0.0.1', port },
      };
    });
    const socks = await options.connect(places);
    const seed = testSeed('miner');
    const chain = await startEmbeddedChain({ seed, clock: Date.now, port: 0, log: silent });
    const witnesses = await Promise.all(
      places.map(({ name }) => sotto('authority', 'init', name, join(directory, name))),
    );
    const policyText = [
      'network regtest',
      ...witnesses.map(({ stdout }) => stdout.trim()),
      ...places.map(({ name, onion }) => `authority ${name} ${formatAddress(onion)}`),
      '',
    ].join('\n');
    const policyFile = join(directory, 'policy');
    await writeFile(policyFile, policyText);
    const all = places.map(async (place, index) => {
      const { name, listen } = place;
      const configPath = join(directory, `${name}.json`);
      const config = {
        ...{ network: 'regtest', name, policyFile, timeline, expectProxyHeader, probeSeconds },
        dataDirectory: join(directory, name),
        listen: formatAddress(listen),
        socks: formatAddress(socks[index] ?? listen),
        target: formatAddress(chain.electrum),
        params: { 'mix-ms': 500, ...options.params },
      };
      await writeFile(configPath, JSON.stringify(config));
      return new AuthorityProcess(place, configPath);
    });
    return new AuthorityProcesses(parsePolicy(policyText), await Promise.all(all), chain);
  }

  /**
   * The consensus that all of these have, the first after the epoch given that has so many nodes.
   * `dial` leads to their onions.
   */
  async agreed(
    authorities: readonly AuthorityProcess[],
    wanted: { readonly after: number; readonly nodes: number; readonly dial: Dial },
  ): Promise<Consensus> {
    const { after, nodes, dial } = wanted;
    const said = new Map<string, string>();
    return await waitUntil(
      async () => {
        const each = authorities.map((authority) => this.#newestOf(authority, { dial, said }));
        const [first, ...others] = await Promise.all(each);
        const isNew = first !== undefined && first.epoch > after && first.nodes.length === nodes;
        return isNew && others.every((other) => other?.text === first.text) ? first : undefined;
      },
      {
        what: `a consensus after epoch ${after} of ${nodes} nodes`,
        instead: () => [...said].map((each) => each.join(': ')).join(', '),
        ...{ timeoutMs: 240_000, intervalMs: 300, signal },
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((each) => each.end('SIGTERM')));
    await this.#chain[Symbol.asyncDispose]();
  }

  /** Undefined as well while it cannot be asked: it may have only just started. */
  async #newestOf(
    { name, place }: AuthorityProcess,
    { dial, said }: { readonly dial: Dial; readonly said: Map<string, string> },
  ): Promise<Consensus | undefined> {
    const { onion } = place;
    await using peer = authorityPeer({ name, onion, dial, network: 'regtest', clock: Date.now });
    let note: Uint8Array;
    try {
      note = await peer.fetch(DIRECTORY_KINDS.latestConsensus, NO_DIGEST, signal);
    } catch (error) {
      if (!(error instanceof DialError || error instanceof LinkError)) throw error;
      said.set(name, error.message);
      return undefined;
    }
    const consensus = note.length === 0 ? undefined : verifyConsensus(note, this.policy);
    said.set(
      name,
      consensus ? `${consensus.nodes.length} nodes in epoch ${consensus.epoch}` : 'none',
    );
    return consensus;
  }
}

/** What an authority says to a descriptor, which is brought until it can be reached, as nodes do. */
export async function bring(place: AuthorityPlace, note: string, dial: Dial): Promise<Taken> {
  let found: unknown;
  const reach = async (): Promise<Duplex | undefined> => {
    try {
      return await dial(place.onion, { signal, isolation: 'a node' });
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      found = error;
      return undefined;
    }
  };
  const stream = await waitUntil(reach, {
    ...REACHING,
    what: `authority ${place.name} to be reached`,
    instead: () => String(found),
    signal,
  });
  await using link = openRelayLink({ stream, network: 'regtest', clock: Date.now });
  return await link.put(PUT_KINDS.descriptor, utf8(note), { signal });
}

/** Of a node of this name: what it says now when it leaves, else a minute ago. */
export function descriptorOf(name: string, which: 'stays' | 'leaves'): string {
  const now = Math.floor(Date.now() / 1000);
  const published = which === 'leaves' ? now : now - 60;
  const today = Math.floor(now / DAY);
  const configOf = (epoch: number) => ({ epoch, keyConfig: testKeyConfig(name, epoch) });
  return signDescriptor(
    testStatement(name, {
      published,
      expires: published + (which === 'leaves' ? 1 : DAY),
      replyKeyUntil: (today + 30) * DAY,
      keyConfigs: [configOf(today), configOf(today + 1)],
    }),
    {
      identity: signingKeyFromSeed(testSeed(`identity ${name}`)),
      onion: signingKeyFromSeed(testSeed(`onion ${name}`)),
    },
  );
}
