import { firstFailure, type Running, Scope } from '../base/lifecycle.ts';
import { findFreePorts } from '../io/free-ports.ts';
import type { Reaper } from '../io/reaper.ts';
import { waitUntil } from '../io/wait-until.ts';
import { createAuthority } from './authority-keys.ts';
import type { ClientAccess } from './client-authorization.ts';
import type { BootstrapPhase } from './control-reply.ts';
import type { PrivateAuthority, PrivateNetworkMember } from './private-network-torrc.ts';
import { type OnionOptions, startTor, type Tor } from './tor-process.ts';

export interface PrivateNetworkOptions {
  /** Absolute; everything the network's tors write is below it. */
  readonly directory: string;
  /** An IPv4 address of this machine, where the relays listen. Absent: 127.0.0.1. */
  readonly address?: string;
  /** Aborts the start only. */
  readonly signal: AbortSignal;
  /** Told in words what the start has come to. */
  readonly onProgress?: (step: string) => void;
  readonly reaper?: Reaper;
}

interface PrivateTorOptions {
  /** Names its directory: letters, digits and hyphens. */
  readonly name: string;
  readonly onions: readonly OnionOptions[];
  /** Keys to private onions of others. */
  readonly access?: readonly ClientAccess[];
  /** Aborts the start only. */
  readonly signal: AbortSignal;
  readonly onProgress?: (phase: BootstrapPhase) => void;
}

/** A Tor network of its own, all of it on this machine. */
export interface PrivateTorNetwork extends Running {
  /** What a tor elsewhere must know to join. */
  readonly authorities: readonly PrivateAuthority[];
  /** Starts a tor that knows this network only. The caller disposes it, before the network. */
  startTor(options: PrivateTorOptions): Promise<Tor>;
}

const AUTHORITIES = ['authority1', 'authority2', 'authority3'];
/** A path has three hops, none of them twice: three authorities leave tor no choice. */
const RELAYS = ['relay1', 'relay2'];
const CONSENSUS_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

/**
 * Starts three directory authorities, which are relays too, and two more relays; waits until all of
 * them stand in the consensus.
 */
export async function startPrivateTorNetwork(
  options: PrivateNetworkOptions,
): Promise<PrivateTorNetwork> {
  const { signal, reaper, directory, onProgress = () => undefined } = options;
  const host = options.address ?? '127.0.0.1';
  await using starting = new Scope();
  onProgress('making the keys of the Tor authorities');
  const authorities = await createAuthorities({ directory, host, signal });
  const startMember = (
    role: PrivateNetworkMember['role'],
    { name, ...tor }: PrivateTorOptions,
  ): Promise<Tor> =>
    startTor({
      ...tor,
      directory: `${directory}/${name}`,
      privateNetwork: { authorities, role },
      reaper,
    });

  const members = [
    ...authorities.map((role) => ({ name: role.nickname, role })),
    ...RELAYS.map((name) => ({ name, role: { host } })),
  ];
  onProgress('waiting for the first vote of the Tor authorities');
  let ready = 0;
  const tors = await starting.useAll(
    members.map(async ({ name, role }) => {
      const tor = await startMember(role, { name, onions: [], signal });
      onProgress(`${++ready} of ${members.length} Tor relays are ready`);
      return tor;
    }),
  );
  onProgress('waiting until all Tor relays stand in the consensus');
  for (const { control } of tors) {
    const isComplete = async (): Promise<true | undefined> =>
      (await control.getInfo('ns/all')).match(/^r /gm)?.length === members.length || undefined;
    await waitUntil(isComplete, {
      what: 'all Tor relays to stand in the consensus',
      timeoutMs: CONSENSUS_TIMEOUT_MS,
      intervalMs: POLL_MS,
      signal,
    });
  }
  const started = starting.move();
  return {
    authorities,
    failed: firstFailure(...tors),
    startTor: (tor) => startMember('client', tor),
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

interface AuthoritiesOptions {
  readonly directory: string;
  readonly host: string;
  readonly signal: AbortSignal;
}

async function createAuthorities(options: AuthoritiesOptions): Promise<PrivateAuthority[]> {
  const { directory, host, signal } = options;
  const ports = await findFreePorts(2 * AUTHORITIES.length, host);
  return Promise.all(
    AUTHORITIES.map((nickname) =>
      createAuthority({
        dataDirectory: `${directory}/${nickname}/data`,
        nickname,
        host,
        orPort: takePort(ports),
        dirPort: takePort(ports),
        signal,
      }),
    ),
  );
}

function takePort(ports: number[]): number {
  const port = ports.pop();
  if (port === undefined) throw new Error('too few ports were looked for');
  return port;
}
