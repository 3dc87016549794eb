import { join } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { UserError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { type Network, NETWORKS } from '../bitcoin/networks.ts';
import type { Address, Dial } from '../io/dial.ts';
import { makePrivateDirectory } from '../io/durable-file.ts';
import { lockFile } from '../io/file-lock.ts';
import { isPrivateAddress } from '../io/private-address.ts';
import { privateDial } from '../io/private-dial.ts';
import type { ChainTip, Lookup } from '../lookup/lookup.ts';
import { policyOption, readPolicy, stateDirectory, stateOption } from './client-options.ts';

// Whom a command asks about addresses, and where it keeps what it has learned.

export interface WayOptions {
  readonly direct?: true;
  readonly relayed?: true;
  readonly server?: Address;
  readonly network: Network;
  readonly policy?: string;
  readonly state?: string;
}

export interface OpenWayOptions {
  /** Reaches onion addresses only; or `withoutTor`. */
  readonly dial: Dial;
  readonly log: Logger;
  /** Gives up the opening. */
  readonly signal: AbortSignal;
  readonly onProgress: (tip: ChainTip) => void;
  /** Told why the headers could not be brought up to date. It is tried again. */
  readonly onTrouble?: (error: unknown) => void;
}

export interface Way {
  readonly kind: 'direct' | 'relayed';
  readonly network: Network;
  /** Absolute: what both ways share is kept in it, and each way's own below it. */
  readonly state: string;
  /** Absolute: all that this way keeps. */
  readonly directory: string;
  /** Given when all that is asked is on this machine or in a private network. */
  readonly withoutTor?: Dial;
  open(options: OpenWayOptions): Promise<Lookup>;
}

const DEFAULT_WALLET_PORT = 50_001;
const A_SERVER =
  '56 letters and digits, then .onion; or the numeric address and port of a server beside you, never a clearnet name';

export const networkOption = new Option(
  '--network <name>',
  'for --direct; --relayed has it from the policy',
)
  .choices(NETWORKS)
  .default('mainnet');

export const serverOption = new Option(
  '--server <onion[:port]>',
  'your Electrum server, for --direct',
)
  .env('SOTTO_SERVER')
  .argParser(serverAddress);

export const wayOptions: readonly Option[] = [
  new Option('--direct', 'at your own server: it learns every address').conflicts('relayed'),
  new Option('--relayed', 'through the relay network: no server learns them all'),
  serverOption,
  networkOption,
  policyOption,
  stateOption,
];

/** @throws UserError when they do not say whom to ask. */
export async function wayOf(options: WayOptions): Promise<Way> {
  if (options.relayed) return await relayedWay(options);
  if (options.direct) return directWay(options);
  throw new UserError('say --direct or --relayed', {
    hint:
      '--direct asks your own server, which learns every address.\n' +
      '--relayed asks through the network, where no server learns them all.',
  });
}

/**
 * Keeps what a way has stored for one process.
 * @throws UserError when another has it.
 */
export async function lockWay({ directory }: Way): Promise<AsyncDisposable> {
  await makePrivateDirectory(directory);
  const lock = await lockFile(join(directory, 'lock'));
  if (lock !== undefined) return lock;
  throw new UserError(`another sotto command uses what is kept in ${directory}`, {
    hint:
      'Is it a bridge? sotto bridge status tells.\n' +
      'For a second wallet give a directory of its own with --state.',
  });
}

async function relayedWay(options: WayOptions): Promise<Way> {
  const policy = await readPolicy(options.policy);
  const { networkOf } = await import('../lookup/client-directory.ts');
  const network = networkOf(policy);
  const state = stateDirectory(options.state, network);
  const directory = join(state, 'relayed');
  return {
    kind: 'relayed',
    network,
    state,
    directory,
    async open(opening) {
      const { openRelayedLookup } = await import('../lookup/open-relayed-lookup.ts');
      return await openRelayedLookup({ ...opening, clock: Date.now, policy, directory });
    },
  };
}

function directWay({ network, server, ...options }: WayOptions): Way {
  if (server === undefined) {
    throw new UserError('no server to ask', {
      hint: `Name your server with --server or SOTTO_SERVER: ${A_SERVER}.`,
    });
  }
  const state = stateDirectory(options.state, network);
  const directory = join(state, 'direct');
  return {
    kind: 'direct',
    network,
    state,
    directory,
    ...(isPrivateAddress(server.host) && { withoutTor: privateDial(server) }),
    async open(opening) {
      const { openDirectLookup } = await import('../lookup/open-direct-lookup.ts');
      return await openDirectLookup({ ...opening, clock: Date.now, network, server, directory });
    },
  };
}

function serverAddress(text: string): Address {
  const [, host = '', port = String(DEFAULT_WALLET_PORT)] =
    /^([a-z2-7]{56}\.onion)(?::(\d{1,5}))?$/.exec(text) ?? /^([\d.]+):(\d{1,5})$/.exec(text) ?? [];
  if (!host.endsWith('.onion') && !isPrivateAddress(host)) {
    throw new InvalidArgumentError(`It takes ${A_SERVER}.`);
  }
  return { host, port: Number(port) };
}
