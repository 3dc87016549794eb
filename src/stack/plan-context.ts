import { join } from 'node:path';
import type { StackConfig } from '../config/stack-config.ts';
import type { PrivateAuthority } from '../tor/private-network-torrc.ts';
import type { Endpoints } from './endpoints.ts';
import type { Home, OnionName } from './home.ts';
import type { ServiceName } from './service.ts';
import type { Sizes } from './sizes.ts';

/** What the containers are made from: by name and digest, or as the environment overrides it. */
export type ImageName = 'tor' | 'bitcoind' | 'target' | 'node';

/** What a plan depends on besides the configuration. */
export interface PlanFacts {
  /** Whom the services run as, and who owns their files. */
  readonly uid: number;
  readonly gid: number;
  /** Of the machine. */
  readonly memoryMiB: number;
  readonly onions: Readonly<Record<OnionName, string>>;
  /** The target's user of bitcoind's RPC. */
  readonly targetRpc: RpcUser;
  /** Chain and index have once been complete: bitcoind's cache can be small from now on. */
  readonly initialSyncDone: boolean;
  readonly images: Readonly<Record<ImageName, string>>;
  /** Text of the file that `relay.policy` names. */
  readonly policy?: string | undefined;
  /** Text of the file that `relay.bond` names. */
  readonly bond?: string | undefined;
  /** Of a private Tor network; absent for the public one. */
  readonly torAuthorities?: readonly PrivateAuthority[] | undefined;
}

export interface RpcUser {
  readonly name: string;
  /** Secret; in one file that only the user's service reads. */
  readonly password: string;
  /** 32 hexadecimal digits. */
  readonly salt: string;
  /** 64 hexadecimal digits: HMAC-SHA-256 of the password under the salt's text. */
  readonly hmac: string;
}

/** What each service's part of the plan is made from. */
export interface PlanContext {
  readonly config: StackConfig;
  readonly home: Home;
  readonly facts: PlanFacts;
  readonly endpoints: Endpoints;
  readonly sizes: Sizes;
}

/** The directories of a service as it sees them itself. */
export interface Places {
  /** Rendered files, only to read. */
  readonly config: string;
  readonly data: string;
}

export function placesOf(
  { config, home }: Pick<PlanContext, 'config' | 'home'>,
  service: ServiceName,
): Places {
  return config.backend === 'docker'
    ? { config: '/config', data: '/data' }
    : { config: home.config(service), data: dataDirectoryOf({ config, home }, service) };
}

/**
 * The wallet onion's directory below `onions/` when it is open: one without `authorized_clients`, so
 * that the devices' keys stay where they are, and the other one never serves without them.
 */
export const OPEN_WALLET_ONION = 'open-wallet';

/** Where the data of a service is on this machine. */
export function dataDirectoryOf(
  { config, home }: Pick<PlanContext, 'config' | 'home'>,
  service: ServiceName,
): string {
  const { storage, bitcoinData } = config;
  if (service === 'bitcoind' && bitcoinData !== undefined) return bitcoinData;
  if (storage !== undefined && (service === 'bitcoind' || service === 'target')) {
    return join(storage, service);
  }
  // The watchdog works on tor's sockets and state.
  return home.data(service === 'watchdog' ? 'tor' : service);
}
