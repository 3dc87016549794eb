import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { messageOf, UserError } from '../base/errors.ts';
import { Scope } from '../base/lifecycle.ts';
import type { Logger } from '../base/log.ts';
import type { Network } from '../bitcoin/networks.ts';
import { type ElectrumClient, startElectrumClient } from './client.ts';
import { ElectrumClientError } from './client-error.ts';
import { HeaderSyncError } from './header-sync.ts';
import { ElectrumRpcError } from './rpc-error.ts';
import { type Address, DialError, formatAddress } from '../io/dial.ts';
import { privateDial } from '../io/private-dial.ts';
import { followHeaders, type FollowedHeaders } from './follow-headers.ts';

export interface OpenTargetOptions {
  readonly target: Address;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  /** Gives up the wait. */
  readonly signal: AbortSignal;
}

export interface OpenTarget extends AsyncDisposable {
  readonly client: ElectrumClient;
  readonly headers: FollowedHeaders;
}

const TIMEOUT_MS = 30_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;

/**
 * Connects to the Electrum server and verifies its headers. Waits for one that does not answer yet,
 * however long: before its first answer it may build an index for days.
 * @throws UserError when it answers, but is not what it should be.
 */
export async function openTarget(options: OpenTargetOptions): Promise<OpenTarget> {
  const { target, log, signal } = options;
  const where = `the Electrum server at ${formatAddress(target)}`;
  let complaint = '';
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      return await connect(options);
    } catch (cause) {
      signal.throwIfAborted();
      const reason = messageOf(cause);
      if (isNotReady(cause)) {
        if (reason !== complaint) log.warn(`waiting for ${where}`, { reason });
        complaint = reason;
      } else if (isRefused(cause)) {
        throw new UserError(`${where} cannot be used: ${reason}`, {
          hint: 'Mend it, or name another one as "target" in the configuration.',
          cause,
        });
      } else throw cause;
    }
    await sleep(wait, undefined, { signal });
  }
}

async function connect({ target, network, clock, log, signal }: OpenTargetOptions) {
  const dial = privateDial(target);
  await using starting = new Scope();
  let headers: FollowedHeaders | undefined;
  const client = starting.use(
    await startElectrumClient({
      dial: (dialing) => dial(target, { signal: dialing, isolation: 'target' }),
      clientName: 'sotto',
      timeoutMs: TIMEOUT_MS,
      log,
      signal,
      onReconnect: () => headers?.resume(),
    }),
  );
  headers = starting.use(await followHeaders({ client, network, clock, log, signal }));
  const started = starting.move();
  return { client, headers, [Symbol.asyncDispose]: () => started[Symbol.asyncDispose]() };
}

/** It is off, starts, or is busy with its index. */
function isNotReady(error: unknown): boolean {
  if (error instanceof DialError || error instanceof ElectrumRpcError) return true;
  const passing = ['disconnected', 'timeout'];
  return error instanceof ElectrumClientError && passing.includes(error.code);
}

function isRefused(error: unknown): boolean {
  return error instanceof ElectrumClientError || error instanceof HeaderSyncError;
}
