import { setImmediate } from 'node:timers/promises';
import type { LineStream } from '../io/line-stream.ts';

/** Sends the lines of one turn of the event loop in one write. */
export class LineBatcher {
  readonly #lines: LineStream;
  readonly #stallMs: number;
  readonly #waiting: string[] = [];
  #batch: Promise<void> | undefined;
  #write: Promise<void> = Promise.resolve();
  #waitingChars = 0;
  #stalled = false;

  /** Closes the stream when the peer reads nothing for `stallMs` while a write waits. */
  constructor(lines: LineStream, stallMs: number) {
    this.#lines = lines;
    this.#stallMs = stallMs;
  }

  /** Whether the stream was closed because the peer did not read. */
  get stalled(): boolean {
    return this.#stalled;
  }

  /** Characters that are not yet handed to the stream. */
  get waitingChars(): number {
    return this.#waitingChars;
  }

  /** Resolves when the line is handed over and the stream has room again, or is closed. */
  send(line: string): Promise<void> {
    this.#waiting.push(line);
    this.#waitingChars += line.length;
    this.#batch ??= this.#sendSoon();
    return this.#batch;
  }

  async #sendSoon(): Promise<void> {
    await this.#write;
    await setImmediate();
    this.#batch = undefined;
    this.#waitingChars = 0;
    this.#write = this.#writeInTime(this.#waiting.splice(0).join('\n'));
    await this.#write;
  }

  async #writeInTime(text: string): Promise<void> {
    const timer = setTimeout(() => {
      this.#stalled = true;
      this.#lines.close();
    }, this.#stallMs);
    await this.#lines.write(text);
    clearTimeout(timer);
  }
}
