import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import type { Gate } from '../electrum/gate.ts';
import { ElectrumRpcError, errorReply, RPC_CODE } from '../electrum/rpc-error.ts';
import { DialError } from '../io/dial.ts';
import { drained, LineTooLongError, linesOf } from '../io/line-stream.ts';
import type { TokenBucket } from '../relay/token-bucket.ts';
import type { GuardLimits } from './guard-limits.ts';
import { type Question, readGuardedLine } from './guard-line.ts';
import { GuardOutlet } from './guard-outlet.ts';
import { longLinesInTurn } from './long-lines.ts';

/** What is left to one visitor, over all its connections. */
export interface GuardQuota {
  readonly requests: TokenBucket;
  /** Bytes. */
  readonly answers: TokenBucket;
}

export interface GuardedClientOptions {
  /** One client's connection; owned by the guard from here on. */
  readonly stream: Duplex;
  readonly quota: GuardQuota;
  /** Opens a connection to the target for this client alone. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  /** Of all clients together. */
  readonly longLines: Gate;
  readonly limits: GuardLimits;
  readonly log: Logger;
}

/** Stands between one client and its own connection to the target. Resolves when it has gone. */
export async function guardClient(options: GuardedClientOptions): Promise<void> {
  await new GuardedClient(options).serve();
}

const NEWLINE = 0x0a;

class GuardedClient {
  readonly #options: GuardedClientOptions;
  readonly #outlet: GuardOutlet;
  readonly #ended = new AbortController();
  #target: Duplex | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #unanswered = 0;
  #onAnswer: (() => void) | undefined;
  readonly #subscriptions = new Set<string>();
  #mistakesLeft: number;

  constructor(options: GuardedClientOptions) {
    this.#options = options;
    const { stream, limits } = options;
    this.#outlet = new GuardOutlet(stream, limits.stallMs);
    this.#mistakesLeft = limits.mistakes;
    this.#closeAfter(limits.greetingMs);
    stream.once('close', () => {
      this.#ended.abort();
    });
  }

  async serve(): Promise<void> {
    const { stream, longLines, limits, log } = this.#options;
    const chunks = longLinesInTurn(stream, { places: longLines, limits });
    try {
      for await (const line of linesOf(chunks, limits.lineBytes)) {
        // The target has gone; the client only reads to the end.
        if (stream.writableEnded) continue;
        this.#closeAfter(limits.idleMs);
        await this.#take(line);
      }
    } catch (error) {
      if (error instanceof LineTooLongError) log.debug('a client sent too long a line');
      else if (!this.#ended.signal.aborted) {
        log.error('a connection ended by a defect', { reason: messageOf(error) });
      }
    } finally {
      clearTimeout(this.#quiet);
      stream.destroy();
      this.#target?.destroy();
    }
  }

  /** Resolves when the next line may be read. */
  async #take(text: string): Promise<void> {
    const { quota, limits } = this.#options;
    await this.#pay(quota.requests, 1 + Math.floor(text.length / limits.bytesPerRequest));
    const line = readGuardedLine(text, limits.batch);
    if (line.kind === 'refused') {
      await this.#pay(quota.requests, line.requests - 1);
      await this.#outlet.say(line.reply);
      if (line.isMistake) this.#mistakesLeft -= 1;
      if (this.#mistakesLeft <= 0) this.#options.stream.destroy();
      return;
    }
    await this.#pay(quota.requests, line.questions.length - 1);
    if (this.#subscribe(line.questions)) await this.#ask(line.questions, line.text);
    else await this.#refuse(line.questions, 'too many subscriptions');
  }

  async #ask(questions: readonly Question[], text: string): Promise<void> {
    const { dial, limits, log } = this.#options;
    const { signal } = this.#ended;
    while (this.#unanswered >= limits.unanswered) await this.#nextAnswer();
    if (this.#target === undefined) {
      try {
        this.#target = await dial(signal);
      } catch (error) {
        if (!(error instanceof DialError)) throw error;
        log.warn('the Electrum server does not answer', { reason: error.message });
        await this.#refuse(questions, 'the server is not ready');
        this.#hangUp();
        return;
      }
      void this.#handBack(this.#target);
    }
    this.#unanswered += 1;
    // A target that does not read makes its own client wait, and nobody else.
    if (!this.#target.write(`${text}\n`)) await drained(this.#target);
  }

  /** The target's bytes, as fast as the client may have them and takes them. */
  async #handBack(target: Duplex): Promise<void> {
    const { quota } = this.#options;
    target.on('error', () => undefined);
    try {
      for await (const chunk of target as AsyncIterable<Buffer>) {
        await this.#pay(quota.answers, chunk.length);
        this.#countAnswers(chunk);
        await this.#outlet.pass(chunk);
      }
    } catch {
      // A reset ends the connection as a close does.
    }
    this.#hangUp();
  }

  /** Each line is an answer or a notification, which makes the count somewhat too low. */
  #countAnswers(chunk: Buffer): void {
    let lines = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1))
      lines += 1;
    this.#unanswered = Math.max(0, this.#unanswered - lines);
    if (lines > 0) this.#onAnswer?.();
  }

  async #nextAnswer(): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      this.#onAnswer = resolve;
    });
    await unlessAborted(answered, this.#ended.signal);
  }

  /** Whether there is room for what these begin to watch. */
  #subscribe(questions: readonly Question[]): boolean {
    for (const { method, script } of questions) {
      if (script === undefined) continue;
      if (method === 'blockchain.scripthash.subscribe') this.#subscriptions.add(script);
      if (method === 'blockchain.scripthash.unsubscribe') this.#subscriptions.delete(script);
    }
    return this.#subscriptions.size <= this.#options.limits.subscriptionsPerConnection;
  }

  async #refuse(questions: readonly Question[], reason: string): Promise<void> {
    const error = new ElectrumRpcError(RPC_CODE.badRequest, reason);
    for (const { id } of questions) await this.#outlet.say(errorReply(id, error));
  }

  /** Waits until the visitor may have so much more. */
  async #pay(bucket: TokenBucket, count: number): Promise<void> {
    const { signal } = this.#ended;
    signal.throwIfAborted();
    while (!bucket.take(count)) await sleep(bucket.missingMs(count), undefined, { signal });
  }

  /** What was written last still reaches the client. */
  #hangUp(): void {
    const { stream, limits } = this.#options;
    if (stream.destroyed) return;
    stream.end();
    this.#closeAfter(limits.stallMs);
  }

  #closeAfter(delayMs: number): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      this.#options.stream.destroy();
    }, delayMs);
  }
}
