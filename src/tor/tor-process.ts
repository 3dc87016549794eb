import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../base/errors.ts';
import { fromUtf8 } from '../base/bytes.ts';
import { type Running, Scope } from '../base/lifecycle.ts';
import type { Child } from '../io/child-process.ts';
import { type Address, parseAddress } from '../io/dial.ts';
import {
  makePrivateDirectory,
  readIfPresent,
  removeIfPresent,
  writeDurably,
} from '../io/durable-file.ts';
import { loopbackDial } from '../io/loopback-dial.ts';
import type { Reaper } from '../io/reaper.ts';
import { waitUntil } from '../io/wait-until.ts';
import { type ClientAccess, renderAuthPrivate } from './client-authorization.ts';
import { type ControlClient, startControlClient } from './control-client.ts';
import { type BootstrapPhase, parseBootstrapPhase } from './control-reply.ts';
import { DescriptorUploads } from './descriptor-uploads.ts';
import { onionKeyFromSeed } from './onion-key.ts';
import type { PrivateNetworkMember } from './private-network-torrc.ts';
import { requireTor, startProgram } from './tor-program.ts';
import { controlFilesOf, type OnionSettings, renderTorrc } from './torrc.ts';

export interface OnionOptions extends Omit<OnionSettings, 'directory'> {
  /** 32 bytes: the secret of the onion's long-term key. */
  readonly seed: Uint8Array;
}

export interface TorOptions {
  /** Absolute, and private to this tor: its torrc, keys and state. */
  readonly directory: string;
  readonly onions: readonly OnionOptions[];
  /** Keys to private onions of others. */
  readonly access?: readonly ClientAccess[];
  /** Absent: a free one. */
  readonly socksPort?: number;
  readonly privateNetwork?: PrivateNetworkMember;
  /** Aborts the start only. */
  readonly signal: AbortSignal;
  /** What the start waits for. Absent: that tor has built a way into its network. */
  readonly untilReady?: (control: ControlClient, signal: AbortSignal) => Promise<void>;
  /** Told of each step of the bootstrap as tor takes it. */
  readonly onProgress?: (phase: BootstrapPhase) => void;
  readonly reaper?: Reaper;
}

/** A tor that has reached its network. It ends with this process, however that ends. */
export interface Tor extends Running {
  /** For `socksDial`. Onion addresses only. */
  readonly socks: Address;
  readonly control: ControlClient;
  /** The onion addresses, in the order of the options. */
  readonly onions: readonly string[];
  /** Waits until the descriptor of one of the onions is where clients look for it. */
  published(onion: string, options: { signal: AbortSignal }): Promise<void>;
}

const BOOTSTRAPPED = 100;
/** tor that has not got through by then needs help, not patience. */
const BOOTSTRAP_TIMEOUT_MS = 5 * 60_000;
const CONTROL_TIMEOUT_MS = 30_000;
const PUBLISH_TIMEOUT_MS = 5 * 60_000;
const POLL_MS = 20;
const KEPT_LOG_LINES = 5;
/** A process that ends is known to have by then. */
const ENDED_MS = 1000;

/**
 * Starts tor and waits until it is ready.
 * @throws UserError when tor is missing, too old, or ends by itself; WaitTimeoutError when it does
 *   not get through.
 */
export async function startTor(options: TorOptions): Promise<Tor> {
  const { directory } = options;
  await requireTor(options.signal);
  const onions = await writeFiles(options);
  await using starting = new Scope();
  const child = starting.use(await startChild(options));
  const ended = new AbortController();
  child.failed.catch((error: unknown) => {
    ended.abort(error);
  });
  const signal = AbortSignal.any([options.signal, ended.signal]);

  const uploads = new DescriptorUploads();
  let phase: BootstrapPhase | undefined;
  const onEvent = (text: string): void => {
    uploads.note(text);
    const next = parseBootstrapPhase(text);
    if (!next) return;
    phase = next;
    options.onProgress?.(next);
  };
  const untilBootstrapped = async (): Promise<void> => {
    await waitUntil(() => phase?.percent === BOOTSTRAPPED || undefined, {
      what: 'tor to reach its network',
      timeoutMs: BOOTSTRAP_TIMEOUT_MS,
      intervalMs: POLL_MS,
      signal,
    });
  };
  const untilReady = async (): Promise<Pick<Tor, 'control' | 'socks'>> => {
    const control = starting.use(await connectControl(directory, { onEvent, signal }));
    onEvent(await control.getInfo('status/bootstrap-phase'));
    await (options.untilReady ?? untilBootstrapped)(control, signal);
    const socks = (await control.getInfo('net/listeners/socks')).replaceAll('"', '');
    return { control, socks: parseAddress(socks) };
  };
  const { control, socks } = await untilReady().catch(async (error: unknown) => {
    // What failed when tor ended may be known before that it has.
    if (!options.signal.aborted) await Promise.race([child.failed, sleep(ENDED_MS)]);
    throw error;
  });
  const started = starting.move();
  return {
    socks,
    control,
    onions,
    failed: child.failed,
    async published(onion, waiting) {
      await waitUntil(() => uploads.isDone(onion) || undefined, {
        what: `${onion} to be published`,
        timeoutMs: PUBLISH_TIMEOUT_MS,
        intervalMs: POLL_MS,
        signal: AbortSignal.any([waiting.signal, ended.signal]),
      });
    },
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

/** Writes the torrc and the onions' keys; returns the onions' addresses. */
async function writeFiles(options: TorOptions): Promise<string[]> {
  const { directory, socksPort = 'auto', privateNetwork, access = [] } = options;
  const dataDirectory = `${directory}/data`;
  await makePrivateDirectory(dataDirectory);
  const onions = options.onions.map(({ seed, ...settings }) => {
    const key = onionKeyFromSeed(seed);
    return { key, settings: { ...settings, directory: `${directory}/${key.address}` } };
  });
  for (const { key, settings } of onions) {
    await makePrivateDirectory(settings.directory);
    await writeDurably(`${settings.directory}/hs_ed25519_secret_key`, key.secretKeyFile);
  }
  const clientKeys = `${directory}/client-keys`;
  await makePrivateDirectory(clientKeys);
  for (const each of access) {
    await writeDurably(`${clientKeys}/${each.onion}.auth_private`, renderAuthPrivate(each));
  }
  const torrc = renderTorrc({
    dataDirectory,
    clientKeys,
    socks: [{ at: `127.0.0.1:${socksPort}`, reaches: 'onions' }],
    onions: onions.map(({ settings }) => settings),
    owningPid: process.pid,
    privateNetwork,
  });
  await writeDurably(`${directory}/torrc`, torrc);
  // A tor that was killed has left them behind.
  for (const path of Object.values(controlFilesOf(dataDirectory))) await removeIfPresent(path);
  return onions.map(({ key }) => key.address);
}

async function startChild({ directory, signal, reaper }: TorOptions): Promise<Child> {
  const log: string[] = [];
  const child = await startProgram({
    command: 'tor',
    args: ['-f', `${directory}/torrc`, '--defaults-torrc', `${directory}/no-defaults`],
    onLine: (line) => {
      log.push(line);
      if (log.length > KEPT_LOG_LINES) log.shift();
    },
    signal,
    reaper,
  });
  const failed = child.failed.catch((cause: unknown) => {
    throw new UserError('tor ended by itself.', { hint: `It said:\n${log.join('\n')}`, cause });
  });
  failed.catch(() => undefined);
  return { ...child, failed };
}

interface ConnectOptions {
  readonly onEvent: (text: string) => void;
  readonly signal: AbortSignal;
}

async function connectControl(directory: string, options: ConnectOptions): Promise<ControlClient> {
  const files = controlFilesOf(`${directory}/data`);
  const waiting = {
    what: 'tor to open its control port',
    timeoutMs: CONTROL_TIMEOUT_MS,
    intervalMs: POLL_MS,
    signal: options.signal,
  };
  const portFile = await waitUntil(() => readIfPresent(files.port), waiting);
  const address = parseAddress(
    fromUtf8(portFile)
      .trim()
      .replace(/^PORT=/, ''),
  );
  const control = await startControlClient({
    stream: await loopbackDial(address, { signal: options.signal, isolation: '' }),
    readCookie: () => waitUntil(() => readIfPresent(files.cookie), waiting),
    events: ['STATUS_CLIENT', 'HS_DESC'],
    onEvent: options.onEvent,
  });
  await control.takeOwnership();
  return control;
}
