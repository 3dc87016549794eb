import type { Duplex } from 'node:stream';
import { LineTooLongError, lineStream, type LineStream } from '../io/line-stream.ts';
import { ElectrumClientError } from './client-error.ts';
import { LineBatcher } from './line-batcher.ts';
import { MAX_REPLY_BYTES } from './protocol.ts';
import { parseServerLine, type ServerLine } from './rpc-reply.ts';

/** More calls than this at once are a mistake of the caller, not load. */
const MAX_IN_FLIGHT = 10_000;
/** For how long a server may refuse to read. */
const STALL_MS = 30_000;

interface PendingCall {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One connection of a client to a server. Calls are pipelined; replies come in any order. */
export class ClientConnection {
  /** Resolves with the reason when the connection has ended. */
  readonly closed: Promise<ElectrumClientError>;
  readonly #lines: LineStream;
  readonly #batcher: LineBatcher;
  readonly #pending = new Map<number, PendingCall>();
  readonly #onNotification: (method: string, params: unknown) => void;
  #nextId = 0;
  #endReason: ElectrumClientError | undefined;
  #lastReceived = performance.now();

  constructor(stream: Duplex, onNotification: (method: string, params: unknown) => void) {
    this.#lines = lineStream(stream, MAX_REPLY_BYTES);
    this.#batcher = new LineBatcher(this.#lines, STALL_MS);
    this.#onNotification = onNotification;
    this.closed = this.#read();
  }

  get isOpen(): boolean {
    return this.#endReason === undefined;
  }

  /** For how many milliseconds the server has said nothing at all. */
  get silentMs(): number {
    return performance.now() - this.#lastReceived;
  }

  /**
   * Sends a request and returns the unchecked result.
   * @throws ElectrumRpcError when the server says so, ElectrumClientError when the connection ends,
   * the signal's reason when aborted.
   */
  async request(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    if (this.#endReason !== undefined) throw this.#endReason;
    if (this.#pending.size >= MAX_IN_FLIGHT) {
      throw new ElectrumClientError('too-many-calls', `${MAX_IN_FLIGHT} calls are unanswered`);
    }
    const id = this.#nextId++;
    const reply = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    const abort = (): void => {
      this.#take(id)?.reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    void this.#batcher.send(JSON.stringify({ jsonrpc: '2.0', method, params, id }));
    try {
      return await reply;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Ends the connection; its unanswered calls reject with the reason. */
  close(reason: ElectrumClientError): void {
    this.#endReason ??= reason;
    this.#lines.close();
    for (const call of this.#pending.values()) call.reject(this.#endReason);
    this.#pending.clear();
  }

  async #read(): Promise<ElectrumClientError> {
    let reason = new ElectrumClientError('disconnected', 'the Electrum server hung up');
    try {
      for await (const line of this.#lines.lines) {
        this.#lastReceived = performance.now();
        this.#handle(parseServerLine(line));
      }
    } catch (error) {
      reason = refusalOf(error);
    }
    this.close(reason);
    return this.#endReason ?? reason;
  }

  #handle(line: ServerLine): void {
    if (line.kind === 'notification') {
      this.#onNotification(line.method, line.params);
      return;
    }
    if (line.id >= this.#nextId) {
      throw new ElectrumClientError('bad-reply', 'the Electrum server answered what was not asked');
    }
    // The reply to a call that was given up meanwhile is dropped.
    const call = this.#take(line.id);
    if (line.kind === 'result') call?.resolve(line.result);
    else call?.reject(line.error);
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    this.#pending.delete(id);
    return call;
  }
}

function refusalOf(error: unknown): ElectrumClientError {
  if (error instanceof ElectrumClientError) return error;
  if (error instanceof LineTooLongError) {
    return new ElectrumClientError('bad-reply', 'the Electrum server sent too long a line');
  }
  throw error;
}
