import { setImmediate } from 'node:timers/promises';

/**
 * Spreads heavy work over turns of the event loop, one piece a turn, so that sockets are read and
 * written between two pieces.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  next(): Promise<unknown> {
    this.#last = this.#last.then(() => setImmediate());
    return this.#last;
  }
}
