import { UserError } from '../base/errors.ts';
import type { Running } from '../base/lifecycle.ts';
import { type Address, formatAddress } from '../io/dial.ts';
import { speaksSocks } from '../io/speaks-socks.ts';
import type { ClientAccess } from './client-authorization.ts';
import type { BootstrapPhase } from './control-reply.ts';
import type { PrivateAuthority } from './private-network-torrc.ts';
import { startTor } from './tor-process.ts';

/** `own`: a tor of ours. `auto`: one that runs already, where tors listen; else our own. */
export type SocksChoice = 'auto' | 'own' | Address;

export interface OpenSocksOptions {
  readonly choice: SocksChoice;
  /** Where `auto` looks for one of others. Absent: where Debian's tor listens, and Tor Browser's. */
  readonly usual?: readonly Address[];
  /** Absolute, and private to a tor of our own. */
  readonly directory: string;
  /** A key to a private onion. Only a tor of our own takes it. */
  readonly access?: ClientAccess | undefined;
  /** For a tor of our own; absent: the public Tor network. */
  readonly authorities?: readonly PrivateAuthority[] | undefined;
  /** Aborts the opening only. */
  readonly signal: AbortSignal;
  /** Told of each step of the bootstrap of a tor of our own. */
  readonly onProgress: (phase: BootstrapPhase) => void;
}

/** A way to onions. `failed` rejects when a tor of our own ends. */
export interface Socks extends Running {
  readonly address: Address;
  readonly isOwn: boolean;
}

const USUAL = [9050, 9150].map((port) => ({ host: '127.0.0.1', port }));

/** @throws UserError when what was chosen is not there, or `startTor` says so. */
export async function openSocks(options: OpenSocksOptions): Promise<Socks> {
  const { choice, usual = USUAL, access, authorities, signal } = options;
  if (choice === 'own') return await startOwn(options);
  if (choice === 'auto') {
    const needsOwn = access !== undefined || authorities !== undefined;
    const found = needsOwn ? undefined : await findTor(usual, signal);
    return found === undefined ? await startOwn(options) : ofOthers(found);
  }
  if (access !== undefined) {
    throw new UserError('a key of a device is for a tor of the bridge itself', {
      hint: 'Leave --socks away, or put the key where that tor has its ClientOnionAuthDir.',
    });
  }
  await requireSocks(choice, signal);
  return ofOthers(choice);
}

async function findTor(
  usual: readonly Address[],
  signal: AbortSignal,
): Promise<Address | undefined> {
  for (const address of usual) {
    if ((await speaksSocks(address, signal)) === 'socks') return address;
  }
  return undefined;
}

async function requireSocks(address: Address, signal: AbortSignal): Promise<void> {
  const answer = await speaksSocks(address, signal);
  if (answer === 'socks') return;
  const where = formatAddress(address);
  throw answer === 'silent'
    ? new UserError(`no tor answers at ${where}`, {
        hint: 'Is it running, and is the port right? Without --socks one is looked for, or started.',
      })
    : new UserError(`what answers at ${where} does not speak SOCKS as tor does`, {
        hint: "Give tor's SOCKS port, or leave --socks away: then one is looked for, or started.",
      });
}

/** It is not ours to watch: when it ends, dialling says so. */
function ofOthers(address: Address): Socks {
  return {
    address,
    isOwn: false,
    failed: new Promise<never>(() => undefined),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function startOwn(options: OpenSocksOptions): Promise<Socks> {
  const { directory, access, authorities, signal, onProgress } = options;
  const tor = await startTor({
    directory,
    onions: [],
    access: access === undefined ? [] : [access],
    ...(authorities && { privateNetwork: { authorities, role: 'client' } }),
    signal,
    onProgress,
  });
  return {
    address: tor.socks,
    isOwn: true,
    failed: tor.failed,
    [Symbol.asyncDispose]: () => tor[Symbol.asyncDispose](),
  };
}
