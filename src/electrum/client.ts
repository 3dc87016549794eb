import { randomInt } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { ClientConnection } from './client-connection.ts';
import { ElectrumClientError } from './client-error.ts';
import { withDeadline } from './deadline.ts';
import {
  ELECTRUM_METHODS,
  type ElectrumMethod,
  type ElectrumNotifications,
  type ElectrumParams,
  type ElectrumResults,
} from './protocol.ts';
import {
  ALL_PROTOCOLS,
  negotiateVersion,
  type ProtocolRange,
  type ProtocolVersion,
} from './protocol-version.ts';
import { positionalParams } from './wire-params.ts';

export interface ElectrumClientOptions {
  /** Opens a stream to the server; called again for each reconnection. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  /** What the server is told; it must not tell one client from another. */
  readonly clientName: string;
  /** All versions unless given. */
  readonly protocol?: ProtocolRange;
  /** How long a call may take, and how long the server may be silent while a call waits. */
  readonly timeoutMs: number;
  readonly log: Logger;
  /** Gives up the first connection. Later, dispose of the client. */
  readonly signal: AbortSignal;
  /** The server has forgotten the subscriptions: called after each reconnection. */
  readonly onReconnect?: () => void;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Instead of the client's. */
  readonly timeoutMs?: number;
}

export type NotificationMethod = keyof ElectrumNotifications;
type Listener<M extends NotificationMethod> = (params: ElectrumNotifications[M]) => void;

export interface ElectrumClient extends AsyncDisposable {
  /** Of the newest connection. */
  readonly protocol: ProtocolVersion;
  /** What the server calls itself: unchecked text. */
  readonly serverName: string;
  /**
   * Calls are pipelined; those of one turn of the event loop leave in one write. While there is no
   * connection a call waits for one, within its timeout.
   * @throws ElectrumRpcError what the server answered; ElectrumClientError; the signal's reason.
   */
  call<M extends ElectrumMethod>(
    method: M,
    params: ElectrumParams[M],
    options?: CallOptions,
  ): Promise<ElectrumResults[M]>;
  /** Listens to well-formed notifications. Returns how to stop. */
  on<M extends NotificationMethod>(method: M, listener: Listener<M>): () => void;
}

/**
 * Connects and agrees on a version. When the connection is lost, connects again, waiting longer
 * each time.
 * @throws what `dial` throws; ElectrumClientError; ElectrumRpcError; the signal's reason.
 */
export async function startElectrumClient(options: ElectrumClientOptions): Promise<ElectrumClient> {
  const client = new ReconnectingClient(options);
  await client.start(options.signal);
  return client;
}

const PING_MS = 60_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;

interface Waiter {
  readonly resolve: (connection: ClientConnection) => void;
  readonly reject: (error: unknown) => void;
}

class ReconnectingClient implements ElectrumClient {
  protocol: ProtocolVersion = '1.4';
  serverName = '';
  readonly #options: ElectrumClientOptions;
  readonly #listeners = new Map<NotificationMethod, Set<(params: unknown) => void>>();
  readonly #stop = new AbortController();
  /** Undefined while there is no connection; then calls wait for one. */
  #connection: ClientConnection | undefined;
  readonly #waiters = new Set<Waiter>();
  #kept: Promise<void> = Promise.resolve();
  #ping: NodeJS.Timeout | undefined;

  constructor(options: ElectrumClientOptions) {
    this.#options = options;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#kept = this.#keepConnected(await this.#connect(signal));
    this.#ping = setInterval(() => {
      this.call('server.ping', {}).catch(() => undefined);
    }, PING_MS);
    this.#ping.unref();
  }

  async call<M extends ElectrumMethod>(
    method: M,
    params: ElectrumParams[M],
    { signal, timeoutMs = this.#options.timeoutMs }: CallOptions = {},
  ): Promise<ElectrumResults[M]> {
    const startedAt = performance.now();
    return await withDeadline({ signal, timeoutMs }, async (deadline) => {
      const current = this.#connection;
      const connection = current?.isOpen === true ? current : await this.#nextConnection(deadline);
      try {
        return await request(connection, { method, params, signal: deadline });
      } catch (error) {
        const isTimeout = error instanceof ElectrumClientError && error.code === 'timeout';
        // Timers can be early by a part of a millisecond.
        const waitedMs = Math.min(performance.now() - startedAt, this.#options.timeoutMs);
        const isPatient = timeoutMs >= this.#options.timeoutMs;
        if (isTimeout && isPatient && connection.silentMs >= waitedMs) {
          connection.close(new ElectrumClientError('timeout', 'the Electrum server fell silent'));
        }
        throw error;
      }
    });
  }

  on<M extends NotificationMethod>(method: M, listener: Listener<M>): () => void {
    const listeners = this.#listeners.get(method) ?? new Set();
    this.#listeners.set(method, listeners);
    const checked = (params: unknown): void => {
      const parsed = ELECTRUM_METHODS[method].notification.safeParse(params);
      // The schema found by the method's name parses to that method's notification.
      if (parsed.success) listener(parsed.data as ElectrumNotifications[M]);
    };
    listeners.add(checked);
    return () => void listeners.delete(checked);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new ElectrumClientError('disconnected', 'the client was closed');
    clearInterval(this.#ping);
    this.#stop.abort(closed);
    this.#connection?.close(closed);
    for (const waiter of this.#waiters) waiter.reject(closed);
    await this.#kept;
  }

  async #connect(signal: AbortSignal): Promise<ClientConnection> {
    const { dial, clientName, protocol: range = ALL_PROTOCOLS, timeoutMs } = this.#options;
    return await withDeadline({ signal, timeoutMs }, async (deadline) => {
      const connection = new ClientConnection(await dial(deadline), (method, params) => {
        const listeners: ReadonlyMap<string, Set<(params: unknown) => void>> = this.#listeners;
        for (const listener of listeners.get(method) ?? []) listener(params);
      });
      try {
        const [serverName, version] = await request(connection, {
          method: 'server.version',
          params: { client_name: clientName, protocol_version: [range.min, range.max] },
          signal: deadline,
        });
        const protocol = negotiateVersion(version, range);
        if (protocol === undefined) {
          const message = 'the Electrum server speaks another version of the protocol';
          throw new ElectrumClientError('no-common-protocol', message);
        }
        this.serverName = serverName;
        this.protocol = protocol;
        return connection;
      } catch (error) {
        connection.close(new ElectrumClientError('disconnected', 'the handshake failed'));
        throw error;
      }
    });
  }

  async #keepConnected(first: ClientConnection): Promise<void> {
    let connection: ClientConnection | undefined = first;
    while (connection !== undefined) {
      this.#connection = connection;
      for (const waiter of this.#waiters) waiter.resolve(connection);
      if (this.#stop.signal.aborted)
        connection.close(this.#stop.signal.reason as ElectrumClientError);
      const { message } = await connection.closed;
      this.#connection = undefined;
      this.#options.log.info('the connection to the Electrum server ended', { reason: message });
      connection = await this.#reconnect();
      if (connection !== undefined) this.#options.onReconnect?.();
    }
  }

  /** Undefined when the client was closed. */
  async #reconnect(): Promise<ClientConnection | undefined> {
    const { signal } = this.#stop;
    let wait = FIRST_WAIT_MS;
    while (!signal.aborted) {
      try {
        await sleep(randomInt(wait / 2, wait), undefined, { signal });
        return await this.#connect(signal);
      } catch (error) {
        const reason = messageOf(error);
        this.#options.log.debug('the Electrum server cannot be reached', { reason });
        wait = Math.min(2 * wait, LONGEST_WAIT_MS);
      }
    }
    return undefined;
  }

  async #nextConnection(signal: AbortSignal): Promise<ClientConnection> {
    if (this.#stop.signal.aborted) throw this.#stop.signal.reason as Error;
    let waiter: Waiter | undefined;
    try {
      return await new Promise((resolve, reject) => {
        waiter = { resolve, reject };
        this.#waiters.add(waiter);
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
    } finally {
      if (waiter !== undefined) this.#waiters.delete(waiter);
    }
  }
}

interface Request<M extends ElectrumMethod> {
  readonly method: M;
  readonly params: ElectrumParams[M];
  readonly signal: AbortSignal;
}

async function request<M extends ElectrumMethod>(
  connection: ClientConnection,
  { method, params, signal }: Request<M>,
): Promise<ElectrumResults[M]> {
  const result = await connection.request(method, positionalParams(method, params), signal);
  const parsed = ELECTRUM_METHODS[method].result.safeParse(result);
  if (!parsed.success) {
    // The issues would quote what a wallet asked for.
    throw new ElectrumClientError('bad-reply', `the result of ${method} has the wrong shape`);
  }
  // The schema found by the method's name parses to that method's result.
  return parsed.data as ElectrumResults[M];
}
