import { setMaxListeners } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Logger } from '../base/log.ts';
import { LineTooLongError, lineStream, type LineStream } from '../io/line-stream.ts';
import { Gate } from './gate.ts';
import { LineBatcher } from './line-batcher.ts';
import {
  type ElectrumArguments,
  type ElectrumMethod,
  type ElectrumNotifications,
  type ElectrumResults,
  isElectrumMethod,
  isSpokenIn,
} from './protocol.ts';
import {
  ALL_PROTOCOLS,
  negotiateVersion,
  type ProtocolRange,
  type ProtocolVersion,
} from './protocol-version.ts';
import { ElectrumRpcError, errorReply, RPC_CODE } from './rpc-error.ts';
import { idOf, parseRequest, type RequestId, type RpcRequest } from './rpc-request.ts';
import { DEFAULT_SESSION_LIMITS, type SessionLimits } from './session-limits.ts';
import { parseParams } from './wire-params.ts';

export interface SessionContext {
  readonly session: ElectrumSession;
  /** Aborts when the connection ends. */
  readonly signal: AbortSignal;
  /** Runs once the line with the reply is on its way: what is told after it comes after it. */
  readonly afterReply: (run: () => void) => void;
}

/**
 * Answers the methods of one connection; those without a handler are unknown to it. An
 * `ElectrumRpcError` that a handler throws is answered as it is, anything else as -32603.
 */
export type ElectrumHandlers = {
  readonly [M in Exclude<ElectrumMethod, 'server.version' | 'server.ping'>]?: (
    params: ElectrumArguments[M],
    context: SessionContext,
  ) => ElectrumResults[M] | Promise<ElectrumResults[M]>;
};

export interface ElectrumSessionOptions {
  /** One client's connection; owned by the session from here on. */
  readonly stream: Duplex;
  readonly handlers: ElectrumHandlers;
  /** What server.version answers; wallets decide by it whether to send batches. */
  readonly serverName: string;
  /** All versions unless given. */
  readonly protocol?: ProtocolRange;
  readonly limits?: Partial<SessionLimits>;
  readonly log: Logger;
}

export interface ElectrumSession {
  /** The oldest version offered, until the client has asked for another. */
  readonly protocol: ProtocolVersion;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;
  /** Sends a notification; a client that leaves too many unread is disconnected. */
  notify<M extends keyof ElectrumNotifications>(method: M, params: ElectrumNotifications[M]): void;
  close(): void;
}

/** Serves the Electrum protocol on one connection until the client goes or breaks a limit. */
export function serveElectrumSession(options: ElectrumSessionOptions): ElectrumSession {
  return new Session(options);
}

/** What handlers want to be run after the line that holds their replies. */
type Afterwards = (() => void)[];

type Handler = (params: unknown, context: SessionContext) => unknown;

class Session implements ElectrumSession {
  readonly closed: Promise<void>;
  protocol: ProtocolVersion;
  readonly #handlers: ElectrumHandlers;
  readonly #serverName: string;
  readonly #offered: ProtocolRange;
  readonly #limits: SessionLimits;
  readonly #log: Logger;
  readonly #lines: LineStream;
  readonly #batcher: LineBatcher;
  readonly #gate: Gate;
  readonly #batches: Gate;
  readonly #ended = new AbortController();
  #versionAsked = false;
  /** Why the client was disconnected. */
  #fault: string | undefined;
  #errorsLeft: number;

  constructor({ protocol = ALL_PROTOCOLS, ...options }: ElectrumSessionOptions) {
    this.#handlers = options.handlers;
    this.#serverName = options.serverName;
    this.#offered = protocol;
    this.#limits = { ...DEFAULT_SESSION_LIMITS, ...options.limits };
    this.#log = options.log;
    this.#lines = lineStream(options.stream, this.#limits.maxRequestBytes);
    this.#batcher = new LineBatcher(this.#lines, this.#limits.stallMs);
    this.#gate = new Gate(this.#limits.maxConcurrent);
    this.#batches = new Gate(this.#limits.maxBatches);
    this.#errorsLeft = this.#limits.maxErrors;
    // Each request that waits listens.
    setMaxListeners(0, this.#ended.signal);
    this.protocol = protocol.min;
    // Reading may be waiting for room, which there is when the requests of who has gone are given up.
    options.stream.once('close', () => {
      this.#giveUp();
    });
    this.closed = this.#serve();
  }

  notify<M extends keyof ElectrumNotifications>(method: M, params: ElectrumNotifications[M]): void {
    void this.#send(JSON.stringify({ jsonrpc: '2.0', method, params }));
  }

  close(): void {
    this.#giveUp();
    this.#lines.close();
  }

  async #serve(): Promise<void> {
    const idle = setTimeout(() => {
      this.close();
    }, this.#limits.idleMs);
    try {
      for await (const line of this.#lines.lines) {
        idle.refresh();
        await this.#handleLine(line);
      }
    } catch (error) {
      if (!(error instanceof LineTooLongError)) throw error;
      this.#fault = 'a line too long';
    } finally {
      clearTimeout(idle);
      const reason = this.#batcher.stalled ? 'it reads too slowly' : this.#fault;
      if (reason !== undefined) this.#log.warn('an Electrum client was disconnected', { reason });
      this.#giveUp();
    }
  }

  /** What is being worked on is for nobody. */
  #giveUp(): void {
    this.#ended.abort(new Error('the client has gone'));
  }

  /** Resolves when there is room for the next line. */
  async #handleLine(line: string): Promise<void> {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      this.#errorsLeft -= 1;
      await this.#send(errorReply(null, new ElectrumRpcError(RPC_CODE.parseError, 'not JSON')));
      return;
    }
    if (Array.isArray(value)) {
      await this.#batches.enter();
      void this.#handleBatch(value).finally(() => {
        this.#batches.leave();
      });
      return;
    }
    await this.#gate.enter();
    void this.#handleSingle(value).finally(() => {
      this.#gate.leave();
    });
  }

  /** Holds its place until the client has read the reply. */
  async #handleSingle(value: unknown): Promise<void> {
    const afterwards: Afterwards = [];
    const reply = await this.#reply(value, afterwards);
    if (reply === undefined) return;
    const { maxReplyBytes, maxReplyBytesOf14 } = this.#limits;
    const old = this.protocol === '1.4';
    const longest = old ? Math.min(maxReplyBytes, maxReplyBytesOf14) : maxReplyBytes;
    await this.#send(reply.length > longest ? tooLarge(idOf(value)) : reply, afterwards);
  }

  async #handleBatch(values: readonly unknown[]): Promise<void> {
    const { maxBatch, maxReplyBytes } = this.#limits;
    if (values.length === 0 || values.length > maxBatch) {
      const message = `a batch has 1 to ${maxBatch} requests`;
      this.#errorsLeft -= 1;
      await this.#send(errorReply(null, new ElectrumRpcError(RPC_CODE.invalidRequest, message)));
      return;
    }
    const replies: Promise<string | undefined>[] = [];
    const afterwards: Afterwards = [];
    for (const value of values) {
      await this.#gate.enter();
      const reply = this.#reply(value, afterwards).finally(() => {
        this.#gate.leave();
      });
      replies.push(reply);
    }
    const texts: string[] = [];
    let chars = 0;
    for (const [index, reply] of (await Promise.all(replies)).entries()) {
      if (reply === undefined) continue;
      const text = chars + reply.length > maxReplyBytes ? tooLarge(idOf(values[index])) : reply;
      texts.push(text);
      chars += text.length;
    }
    if (texts.length > 0) await this.#send(`[${texts.join(',')}]`, afterwards);
  }

  /** The reply as JSON, or undefined when none is wanted. Never rejects. */
  async #reply(value: unknown, afterwards: Afterwards): Promise<string | undefined> {
    const request = parseRequest(value);
    if (request === undefined) {
      this.#errorsLeft -= 1;
      const error = new ElectrumRpcError(RPC_CODE.invalidRequest, 'not a request');
      return errorReply(idOf(value), error);
    }
    const { id } = request;
    let reply: string;
    try {
      const result = await this.#result(request, afterwards);
      reply = JSON.stringify({ jsonrpc: '2.0', id, result });
    } catch (error) {
      reply = errorReply(id, this.#rpcErrorOf(error, request.method));
    }
    return id === undefined ? undefined : reply;
  }

  async #result({ method, params }: RpcRequest, afterwards: Afterwards): Promise<unknown> {
    this.#ended.signal.throwIfAborted();
    if (!isElectrumMethod(method)) throw unknownMethod();
    if (method === 'server.version') return this.#agree(parseParams(method, params));
    if (!isSpokenIn(method, this.protocol)) throw unknownMethod();
    if (method === 'server.ping') return null;
    // The method's own parameters go to the method's own handler.
    const handler = this.#handlers[method] as Handler | undefined;
    if (handler === undefined) throw unknownMethod();
    return await handler(parseParams(method, params), {
      session: this,
      signal: this.#ended.signal,
      afterReply: (run) => afterwards.push(run),
    });
  }

  #agree({ protocol_version }: ElectrumArguments['server.version']): [string, string] {
    if (this.#versionAsked) {
      throw new ElectrumRpcError(RPC_CODE.badRequest, 'server.version was already sent');
    }
    this.#versionAsked = true;
    const protocol = negotiateVersion(protocol_version, this.#offered);
    if (protocol === undefined) {
      this.#errorsLeft = 0;
      this.#fault = 'an unknown protocol version';
      throw new ElectrumRpcError(RPC_CODE.badRequest, 'unsupported protocol version');
    }
    this.protocol = protocol;
    return [this.#serverName, protocol];
  }

  #rpcErrorOf(error: unknown, method: string): ElectrumRpcError {
    if (error instanceof ElectrumRpcError) return error;
    if (!this.#ended.signal.aborted) {
      // Not its message, which may hold what a wallet asked for.
      const name = error instanceof Error ? error.name : typeof error;
      this.#log.warn('an Electrum request failed', { method, error: name });
    }
    return new ElectrumRpcError(RPC_CODE.internalError, 'internal error');
  }

  /** Resolves when the client has read enough; disconnects one that reads or behaves too badly. */
  async #send(line: string, afterwards: Afterwards = []): Promise<void> {
    // What is still being worked on would pile up for nobody.
    if (this.#ended.signal.aborted) return;
    const sent = this.#batcher.send(line);
    for (const run of afterwards) run();
    if (this.#batcher.waitingChars > this.#limits.maxWaitingChars) {
      this.#hangUp('it leaves too much unread');
    }
    await sent;
    if (this.#errorsLeft <= 0) this.#hangUp('too many errors');
  }

  #hangUp(reason: string): void {
    this.#fault ??= reason;
    this.close();
  }
}

function unknownMethod(): ElectrumRpcError {
  return new ElectrumRpcError(RPC_CODE.methodNotFound, 'unknown method');
}

function tooLarge(id: RequestId): string {
  return errorReply(id, new ElectrumRpcError(RPC_CODE.invalidRequest, 'response too large'));
}
