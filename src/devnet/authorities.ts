import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { foundAuthority } from '../authority/found-authority.ts';
import { firstFailure, type Running, Scope } from '../base/lifecycle.ts';
import { type ConsensusParams } from '../directory/consensus.ts';
import { parsePolicy, type Policy } from '../directory/policy.ts';
import { type Timeline } from '../directory/timeline.ts';
import { type Address, formatAddress } from '../io/dial.ts';
import { writeDurably } from '../io/durable-file.ts';
import { findFreePorts } from '../io/free-ports.ts';
import type { Reaper } from '../io/reaper.ts';
import { onionKeyFromSeed } from '../tor/onion-key.ts';
import { startProgram } from './program.ts';

/** Where an authority is, before it runs. */
export interface AuthorityPlace {
  readonly name: string;
  /** With its key. */
  readonly dataDirectory: string;
  readonly onionSeed: Uint8Array;
  readonly onion: Address;
  /** What the onion leads to. */
  readonly listen: Address;
}

export interface FoundOptions {
  readonly count: number;
  /** Each has a directory of its own below it. */
  readonly directory: string;
}

/** Authorities of a regtest network that begins. */
export interface FoundedAuthorities {
  readonly places: readonly AuthorityPlace[];
  /** Who they are and where; no relays to start from. */
  readonly policy: Policy;
}

export const AUTHORITY_PORT = 50_010;

/** Makes keys and onions. */
export async function foundAuthorities({
  count,
  directory,
}: FoundOptions): Promise<FoundedAuthorities> {
  const ports = await findFreePorts(count);
  const places = ports.map((port, index): AuthorityPlace => {
    const name = `authority-${index + 1}`;
    const onionSeed = randomBytes(32);
    return {
      name,
      dataDirectory: join(directory, name),
      onionSeed,
      onion: { host: onionKeyFromSeed(onionSeed).address, port: AUTHORITY_PORT },
      listen: { host: '127.0.0.1', port },
    };
  });
  const witnesses = await Promise.all(
    places.map(({ name, dataDirectory }) => foundAuthority(name, dataDirectory)),
  );
  const onions = places.map(({ name, onion }) => `authority ${name} ${formatAddress(onion)}`);
  const policy = parsePolicy(['network regtest', ...witnesses, ...onions, ''].join('\n'));
  return { places, policy };
}

export interface AuthoritiesOptions {
  readonly places: readonly AuthorityPlace[];
  readonly policyFile: string;
  /** Of a tor that reaches the onions of all. */
  readonly socks: Address;
  /** An Electrum server. */
  readonly target: Address;
  readonly params: ConsensusParams;
  readonly timeline: Timeline;
  /** Aborts the start only. */
  readonly signal: AbortSignal;
  readonly reaper: Reaper;
}

/** From one look at a node to the next: one that goes is not `Running` any more after it. */
const PROBE_SECONDS = 30;
const readyLine = z.object({ port: z.number() });

/** Runs `sotto authority` in a process of its own for each; resolves when all of them listen. */
export async function startAuthorities(options: AuthoritiesOptions): Promise<Running> {
  await using starting = new Scope();
  const processes = await starting.useAll(
    options.places.map((place) => startAuthority(place, options)),
  );
  const started = starting.move();
  return {
    failed: firstFailure(...processes),
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

async function startAuthority(
  { name, dataDirectory, listen }: AuthorityPlace,
  { policyFile, socks, target, params, timeline, signal, reaper }: AuthoritiesOptions,
): Promise<Running> {
  const path = join(dataDirectory, 'authority.json');
  await writeDurably(
    path,
    JSON.stringify({
      ...{ network: 'regtest', name, dataDirectory, policyFile, timeline },
      listen: formatAddress(listen),
      socks: formatAddress(socks),
      target: formatAddress(target),
      params: Object.fromEntries(params),
      probeSeconds: PROBE_SECONDS,
    }),
  );
  return await startProgram({
    file: 'cli/main.js',
    args: ['authority', 'run', '--config', path, '--log-level', 'warn'],
    ready: readyLine,
    signal,
    reaper,
  });
}
