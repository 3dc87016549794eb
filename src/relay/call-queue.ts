import { setMaxListeners } from 'node:events';
import { Turnstile } from './turnstile.ts';

export interface CallQueueOptions {
  /** Calls that run at the same time. */
  readonly running: number;
  /** Calls that wait for their turn. */
  readonly waiting: number;
  /** From when a call is handed in. Milliseconds. */
  readonly timeoutMs: number;
}

/** The call had to wait behind too many others, or took too long. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

/** Runs few calls at a time, in the order they came, each within its time. */
export class CallQueue {
  readonly #options: CallQueueOptions;
  readonly #turnstile: Turnstile;

  constructor(options: CallQueueOptions) {
    this.#options = options;
    this.#turnstile = new Turnstile(options.running);
  }

  /**
   * Runs a call with a signal that aborts when its time is over. A call that goes on nevertheless
   * keeps its place until it settles.
   * @throws BusyError when too many wait or the time is over; what the call throws.
   */
  async run<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { waiting, timeoutMs } = this.#options;
    if (this.#turnstile.waiting >= waiting) throw new BusyError('too many calls wait');
    const abort = new AbortController();
    const { signal } = abort;
    // One call may ask its server for much at once.
    setMaxListeners(0, signal);
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        const error = new BusyError('the call took too long');
        abort.abort(error);
        reject(error);
      }, timeoutMs);
      this.#runInTurn(call, signal)
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer);
        });
    });
  }

  async #runInTurn<T>(call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#turnstile.enter(signal);
    try {
      return await call(signal);
    } finally {
      this.#turnstile.leave();
    }
  }
}
