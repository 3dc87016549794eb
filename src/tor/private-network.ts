import { firstFailure, type Running, Scope } from '../base/lifecycle.ts';
import { findFreePorts } from '../io/free-ports.ts';
import type { Reaper } from '../io/reaper.ts';
import { waitUntil } from '../io/wait-until.ts';
import { type CreatedAuthority, createAuthority } from './authority-keys.ts';
import type { ClientAccess } from './client-authorization.ts';
import type { ControlClient } from './control-client.ts';
import type { BootstrapPhase } from './control-reply.ts';
import { writeCertificates, writeRelayState } from './private-network-files.ts';
import type { PrivateAuthority, PrivateNetworkMember } from './private-network-torrc.ts';
import { type OnionOptions, startTor, type Tor, type TorOptions } from './tor-process.ts';

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

type MemberOptions = PrivateTorOptions & Pick<TorOptions, 'untilReady'>;

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
const MEMBERS = AUTHORITIES.length + RELAYS.length;
const WAITING = { timeoutMs: 120_000, intervalMs: 100 };
/**
 * From when on all relays are known. tor reckons the time periods of onions as 24 such intervals, and at the
 * end of a period a call to an onion can fail: those of the shortest interval would last four minutes.
 */
const SETTLED_VOTING_SECONDS = 3600;

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
  const created = await createAuthorities({ directory, host, signal });
  const authorities = created.map(({ authority }) => authority);
  const certificates = created.map(({ certificate }) => certificate).join('');
  const startMember = async (
    role: PrivateNetworkMember['role'],
    { name, ...tor }: MemberOptions,
  ): Promise<Tor> => {
    const known = { dataDirectory: `${directory}/${name}/data`, certificates, clock: Date.now };
    await writeCertificates(known);
    if (role !== 'client') await writeRelayState(known);
    return await startTor({
      ...tor,
      directory: `${directory}/${name}`,
      privateNetwork: { authorities, role },
      reaper,
    });
  };

  const members = [
    ...authorities.map((role) => ({ name: role.nickname, role })),
    ...RELAYS.map((name) => ({ name, role: { host } })),
  ];
  onProgress('waiting for the first vote of the Tor authorities');
  let ready = 0;
  // Without one of them the others would wait in vain, and it is the one that knows why.
  const broken = new AbortController();
  const untilBroken = AbortSignal.any([signal, broken.signal]);
  const tors = await starting.useAll(
    members.map(async ({ name, role }) => {
      const untilReady = 'nickname' in role ? voteUntilSettled : untilSettled;
      const member = { name, onions: [], signal: untilBroken, untilReady };
      const tor = await startMember(role, member).catch((error: unknown) => {
        broken.abort(error);
        throw broken.signal.reason;
      });
      onProgress(`${++ready} of ${members.length} Tor relays are ready`);
      return tor;
    }),
  );
  const started = starting.move();
  return {
    authorities,
    failed: firstFailure(...tors),
    startTor: (tor) => startMember('client', tor),
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

/** Has an authority vote as rarely as is good for onions, from when it knows all relays. */
async function voteUntilSettled(control: ControlClient, signal: AbortSignal): Promise<void> {
  let known = 0;
  const knowsAll = async (): Promise<true | undefined> => {
    known = countLines(/^router /gm, await control.getInfo('desc/all-recent'));
    return known === MEMBERS || undefined;
  };
  await waitUntil(knowsAll, {
    ...WAITING,
    what: 'a Tor authority to know all relays',
    instead: () => `it knows ${known} of ${MEMBERS}`,
    signal,
  });
  await control.setConf('V3AuthVotingInterval', `${SETTLED_VOTING_SECONDS}`);
  await untilSettled(control, signal);
}

/**
 * Waits until a relay goes by a consensus that has all relays and is for long. Whether it has built a way
 * through the network itself is of no account: authorities need none, and may not build any.
 */
async function untilSettled(control: ControlClient, signal: AbortSignal): Promise<void> {
  const timeOf = async (key: string): Promise<number> =>
    Date.parse(`${await control.getInfo(`consensus/${key}`)}Z`);
  let found = '';
  const isSettled = async (): Promise<true | undefined> => {
    const listed = countLines(/^r /gm, await control.getInfo('ns/all'));
    found = `${listed} of ${MEMBERS} stand in the newest`;
    if (listed !== MEMBERS) return undefined;
    const fresh = ((await timeOf('fresh-until')) - (await timeOf('valid-after'))) / 1000;
    const isEnough = (await control.getInfo('status/enough-dir-info')) === '1';
    found = `all stand in one for ${fresh} s, which is ${isEnough ? 'enough' : 'not enough'} for tor`;
    return (isEnough && fresh >= SETTLED_VOTING_SECONDS) || undefined;
  };
  await waitUntil(isSettled, {
    ...WAITING,
    what: 'all Tor relays to stand in a consensus for an hour',
    instead: () => found,
    signal,
  });
}

function countLines(line: RegExp, text: string): number {
  return text.match(line)?.length ?? 0;
}

interface AuthoritiesOptions {
  readonly directory: string;
  readonly host: string;
  readonly signal: AbortSignal;
}

async function createAuthorities(options: AuthoritiesOptions): Promise<CreatedAuthority[]> {
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
