import assert from 'node:assert/strict';
import { silent } from '../src/base/log.ts';
import { type ElectrumClient, startElectrumClient } from '../src/electrum/client.ts';
import { ElectrumClientError } from '../src/electrum/client-error.ts';
import { type Address, DialError } from '../src/io/dial.ts';
import { socksDial } from '../src/io/socks-dial.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import type { Tor } from '../src/tor/tor-process.ts';

/** Who calls a wallet onion, and where it is. */
export interface WalletCall {
  readonly tor: Tor;
  readonly onion: Address;
  readonly signal: AbortSignal;
}

const PATIENCE_MS = 30_000;
const WAITING = { timeoutMs: 180_000, intervalMs: 500 };
let calls = 0;

/** What a wallet connects with, over a circuit of its own. */
export async function callWallet({ tor, onion, signal }: WalletCall): Promise<ElectrumClient> {
  const isolation = `call ${calls++}`;
  return await startElectrumClient({
    dial: (dialling) => socksDial(tor.socks)(onion, { signal: dialling, isolation }),
    clientName: 'electrum/4.8.1',
    timeoutMs: PATIENCE_MS,
    log: silent,
    signal,
  });
}

/** The height of the tip, as a wallet is told. */
async function askHeight(call: WalletCall): Promise<number> {
  await using client = await callWallet(call);
  return (await client.call('blockchain.headers.subscribe', {})).height;
}

/** Calls until it is answered. @returns the height of the tip. */
export async function untilAnswered(call: WalletCall): Promise<number> {
  let found: unknown;
  const height = (): Promise<number | undefined> =>
    askHeight(call).catch((error: unknown) => {
      found = error;
      return undefined;
    });
  return await waitUntil(height, {
    ...WAITING,
    what: 'the wallet onion to answer',
    instead: () => String(found),
    signal: call.signal,
  });
}

/** Calls until it is told that it needs a key. */
export async function untilAskedForKey(call: WalletCall): Promise<void> {
  let found: unknown;
  const isAsked = async (): Promise<true | undefined> => {
    found = await refusalOf(call);
    return String(found).includes('this tor has no key for it') || undefined;
  };
  await waitUntil(isAsked, {
    ...WAITING,
    what: 'the wallet onion to ask for a key',
    instead: () => String(found),
    signal: call.signal,
  });
}

/**
 * Calls once, for as long as a wallet waits, and is not let in. A tor whose key was revoked may seek
 * another way for minutes before it says so: that it is silent is as good.
 */
export async function assertKeptOut(call: WalletCall): Promise<void> {
  await refusalOf(call);
}

async function refusalOf(call: WalletCall): Promise<Error> {
  const answer = await askHeight(call).catch((error: unknown) => error);
  assert.doesNotMatch(String(answer), /no tor answers/);
  if (answer instanceof DialError) return answer;
  // Any other failure would be the server's, which it must not have come to.
  const isSilence = answer instanceof ElectrumClientError && answer.code === 'timeout';
  assert.ok(isSilence, `it was let in: ${String(answer)}`);
  return answer;
}
