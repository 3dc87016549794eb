import type { Duplex } from 'node:stream';
import { drained } from '../io/line-stream.ts';

const NEWLINE = 0x0a;

/** Hands a server's bytes to a client as they come, and lines of our own between its lines. */
export class GuardOutlet {
  readonly #client: Duplex;
  readonly #stallMs: number;
  #isWithinLine = false;
  readonly #own: string[] = [];

  /** Destroys the client when it leaves unread for `stallMs` what was written. */
  constructor(client: Duplex, stallMs: number) {
    this.#client = client;
    this.#stallMs = stallMs;
  }

  /** Resolves when the client has room again. */
  async pass(chunk: Buffer): Promise<void> {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      this.#client.write(chunk.subarray(0, end));
      this.#sayOwn();
    }
    if (end < chunk.length) this.#client.write(chunk.subarray(end));
    this.#isWithinLine = end < chunk.length;
    await this.#room();
  }

  /** Resolves when the client has room again. */
  async say(line: string): Promise<void> {
    this.#own.push(line);
    if (!this.#isWithinLine) this.#sayOwn();
    await this.#room();
  }

  #sayOwn(): void {
    for (const line of this.#own.splice(0)) this.#client.write(`${line}\n`);
  }

  async #room(): Promise<void> {
    if (!this.#client.writableNeedDrain) return;
    const timer = setTimeout(() => this.#client.destroy(), this.#stallMs);
    await drained(this.#client);
    clearTimeout(timer);
  }
}
