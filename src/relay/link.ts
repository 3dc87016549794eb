import type { Duplex } from 'node:stream';
import { concatBytes } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { encodeFrame, FrameDecoder, type Frame, MAX_QUESTION_BYTES } from './frame.ts';
import { decodeHello, encodeHello, type Hello } from './frame-payload.ts';
import { LinkError, type LinkErrorCode } from './link-error.ts';

export interface LinkOptions {
  readonly stream: Duplex;
  /** What this end says first. The peer must be of the same network. */
  readonly hello: Hello;
  /**
   * The end that answers stops reading while its answers are not taken. The end that asks always
   * reads: what comes is bounded by what it asked for, and two ends that wait would wait for ever.
   */
  readonly answers: boolean;
  readonly clock: Clock;
  readonly timing: LinkTiming;
  readonly onHello?: (hello: Hello) => void;
  /** Frames after HELLO, in order. What it throws closes the link. */
  readonly onFrame: (frame: Frame) => void;
  readonly onClose?: (reason: LinkError) => void;
}

/** Milliseconds. */
export interface LinkTiming {
  readonly helloMs: number;
  /** Without a frame from the peer. */
  readonly idleMs: number;
  /** Without the peer taking what was written. */
  readonly stallMs: number;
}

/** Answers that wait for the peer; with more, no further question is read. */
const HIGH_WATER_BYTES = 256 * 1024;
/** A long answer is cut into frames only when fewer bytes than this wait. */
const LOW_WATER_BYTES = 64 * 1024;
/** Long answers that may wait for their turn on one link. */
const MAX_LONG_ANSWERS = 16;

/** Frames over one stream (spec/relay.md section 5). Whatever ends the link destroys the stream. */
export class Link {
  readonly #options: LinkOptions;
  readonly #decoder: FrameDecoder;
  #arrived: Frame[] = [];
  #outgoing: Uint8Array[] = [];
  #outgoingBytes = 0;
  readonly #longAnswers: Iterator<Uint8Array>[] = [];
  #flushScheduled = false;
  #heardHello = false;
  #lastFrameAt: number;
  #quietTimer: NodeJS.Timeout;
  #stallTimer: NodeJS.Timeout | undefined;
  #ended: LinkError | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#decoder = new FrameDecoder(options.answers ? MAX_QUESTION_BYTES : Infinity);
    const { stream, hello, timing } = options;
    this.#lastFrameAt = options.clock();
    this.#quietTimer = setTimeout(() => {
      this.close('hello', 'no HELLO in time');
    }, timing.helloMs);
    stream.on('data', (chunk: Uint8Array) => {
      this.#receive(chunk);
    });
    stream.on('drain', () => {
      this.#drained();
    });
    for (const event of ['end', 'error', 'close']) {
      stream.on(event, () => {
        this.close('closed', 'the peer closed the link');
      });
    }
    this.send({ type: 'HELLO', id: 0, payload: encodeHello(hello) });
  }

  /** Why the link has ended, undefined while it has not. */
  get ended(): LinkError | undefined {
    return this.#ended;
  }

  /** Frames of one turn of the event loop leave in one write. */
  send(frame: Frame): void {
    if (this.#ended !== undefined) return;
    this.#enqueue(encodeFrame(frame));
    this.#scheduleFlush();
  }

  /**
   * Sends frames as the peer takes them, without holding back those of `send`. `frames` is asked for
   * one at a time, and one long answer at most in a turn of the event loop: to make one may take long.
   * Too many long answers at once close the link.
   */
  sendLong(frames: Iterator<Uint8Array>): void {
    if (this.#ended !== undefined) return;
    if (this.#longAnswers.length >= MAX_LONG_ANSWERS) {
      this.close('flood', 'too many long answers asked for');
      return;
    }
    this.#longAnswers.push(frames);
    this.#scheduleFlush();
  }

  /** From now on the link may stay silent as long as it likes. */
  stayWarm(): void {
    clearTimeout(this.#quietTimer);
  }

  close(code: LinkErrorCode, message: string, options?: ErrorOptions): void {
    if (this.#ended !== undefined) return;
    this.#ended = new LinkError(code, message, options);
    clearTimeout(this.#quietTimer);
    clearTimeout(this.#stallTimer);
    this.#arrived = [];
    this.#outgoing = [];
    this.#longAnswers.length = 0;
    this.#options.stream.destroy();
    this.#options.onClose?.(this.#ended);
  }

  #receive(chunk: Uint8Array): void {
    if (this.#ended !== undefined) return;
    try {
      const frames = this.#decoder.push(chunk);
      this.#arrived = this.#arrived.length === 0 ? frames : [...this.#arrived, ...frames];
    } catch (cause) {
      this.close('protocol', 'not a frame', { cause });
      return;
    }
    this.#deliver();
  }

  #deliver(): void {
    let taken = 0;
    try {
      for (const frame of this.#arrived) {
        if (this.#ended !== undefined || this.#congested()) break;
        taken += 1;
        this.#take(frame);
      }
    } catch (cause) {
      this.close('protocol', 'a frame that is not allowed here', { cause });
      return;
    }
    if (this.#ended !== undefined) return;
    if (taken > 0) this.#lastFrameAt = this.#options.clock();
    this.#arrived = taken === this.#arrived.length ? [] : this.#arrived.slice(taken);
    if (this.#arrived.length > 0) this.#options.stream.pause();
    else if (this.#options.stream.isPaused()) this.#options.stream.resume();
  }

  #take(frame: Frame): void {
    if (this.#heardHello && frame.type !== 'HELLO') {
      this.#options.onFrame(frame);
      return;
    }
    if (this.#heardHello || frame.type !== 'HELLO')
      throw new LinkError('protocol', 'HELLO comes first and once');
    const hello = decodeHello(frame.payload);
    if (hello.network !== this.#options.hello.network) {
      this.close('hello', 'the peer is of another network');
      return;
    }
    this.#heardHello = true;
    clearTimeout(this.#quietTimer);
    this.#watchIdle(this.#options.timing.idleMs);
    this.#options.onHello?.(hello);
  }

  #watchIdle(delayMs: number): void {
    if (delayMs === Infinity) return;
    this.#quietTimer = setTimeout(() => {
      const left = this.#lastFrameAt + this.#options.timing.idleMs - this.#options.clock();
      if (left > 0) this.#watchIdle(left);
      else this.close('idle', 'nothing came for too long');
    }, delayMs);
  }

  #congested(): boolean {
    return this.#options.answers && this.#outgoingBytes > HIGH_WATER_BYTES;
  }

  #enqueue(bytes: Uint8Array): void {
    this.#outgoing.push(bytes);
    this.#outgoingBytes += bytes.length;
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#stallTimer !== undefined) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#ended !== undefined) return;
    try {
      this.#cutLongAnswer();
    } catch (cause) {
      this.close('closed', 'an answer could not be made', { cause });
      return;
    }
    if (this.#outgoing.length === 0) {
      if (this.#longAnswers.length > 0) this.#scheduleFlush();
      return;
    }
    const batch = concatBytes(...this.#outgoing);
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    if (this.#options.stream.write(batch)) {
      if (this.#longAnswers.length > 0) this.#scheduleFlush();
      if (this.#arrived.length > 0) this.#deliver();
      return;
    }
    this.#stallTimer = setTimeout(() => {
      this.close('stalled', 'the peer does not read');
    }, this.#options.timing.stallMs);
  }

  #cutLongAnswer(): void {
    const [frames] = this.#longAnswers;
    while (frames !== undefined && this.#outgoingBytes < LOW_WATER_BYTES) {
      const next = frames.next();
      if (next.done === true) {
        this.#longAnswers.shift();
        return;
      }
      this.#enqueue(next.value);
    }
  }

  #drained(): void {
    clearTimeout(this.#stallTimer);
    this.#stallTimer = undefined;
    this.#flush();
    if (this.#ended === undefined) this.#deliver();
  }
}
