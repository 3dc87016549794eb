import { join } from 'node:path';
import type { ServiceName } from './service.ts';

/** The three onion services of a personal server. They never share a key. */
export const ONIONS = ['wallet', 'relay', 'p2p'] as const;

export type OnionName = (typeof ONIONS)[number];

/** Where everything of one personal server is, below one directory with mode 0700. */
export interface Home {
  readonly directory: string;
  /** `sotto.yaml`: what the person decided. */
  readonly configFile: string;
  /** `.env` and `compose.yaml`: what `docker compose` reads. No secrets. */
  readonly environmentFile: string;
  readonly composeFile: string;
  /** Seeds of onions and passwords, 0600 each. No service sees this directory. */
  readonly secrets: string;
  /** Rendered files of one service, which it may only read. */
  config(service: ServiceName): string;
  /** What one service writes. */
  data(service: ServiceName): string;
  /** tor's directory for one onion: key, hostname, authorized_clients. */
  onion(name: OnionName): string;
  /** Unix sockets of tor, for this user only. */
  readonly torControl: string;
  readonly torControlCookie: string;
  /** Onion addresses only. */
  readonly torSocks: string;
  /** For `sotto update` alone: clearnet names through exits, and no onions. */
  readonly torExitSocks: string;
  /** Logs of the process backend; with Docker, the engine keeps them. */
  readonly logs: string;
  /** The process backend's socket and locks, worth nothing once it has ended. */
  readonly run: string;
}

/** @param directory absolute. */
export function homeAt(directory: string): Home {
  const below = (...parts: string[]): string => join(directory, ...parts);
  return {
    directory,
    configFile: below('sotto.yaml'),
    environmentFile: below('.env'),
    composeFile: below('compose.yaml'),
    secrets: below('secrets'),
    config: (service) => below('config', service),
    data: (service) => below('data', service),
    onion: (name) => below('data', 'tor', 'onions', name),
    torControl: below('data', 'tor', 'run', 'control'),
    torControlCookie: below('data', 'tor', 'run', 'cookie'),
    torSocks: below('data', 'tor', 'run', 'socks'),
    torExitSocks: below('data', 'tor', 'run', 'exit-socks'),
    logs: below('logs'),
    run: below('run'),
  };
}
