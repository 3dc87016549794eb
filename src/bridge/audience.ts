import { type VerifiedHistory } from '../lookup/lookup.ts';

export type Status = string | null;

interface Waiter {
  readonly told: (history: VerifiedHistory) => void;
  readonly refused: (error: Error) => void;
}

/** The wallets that want one history: those that wait for it, and those that are told its status. */
export class Audience {
  readonly #waiting = new Set<Waiter>();
  readonly #listeners = new Set<Listener>();

  /** Whether anybody waits for the first history. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  get isEmpty(): boolean {
    return !this.isWaiting && this.#listeners.size === 0;
  }

  add(listener: Listener): void {
    this.#listeners.add(listener);
  }

  remove(listener: Listener): void {
    this.#listeners.delete(listener);
  }

  /** The history that is told next. Rejects with what refuses it, or with the signal's reason. */
  async next(signal: AbortSignal): Promise<VerifiedHistory> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        waiter.refused(signal.reason as Error);
      };
      const end = (): void => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', aborted);
      };
      const waiter: Waiter = {
        told(history) {
          end();
          resolve(history);
        },
        refused(error) {
          end();
          reject(error);
        },
      };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', aborted, { once: true });
    });
  }

  tell(history: VerifiedHistory): void {
    for (const listener of this.#listeners) listener.tell(history.status);
    for (const waiter of this.#waiting) waiter.told(history);
  }

  /** Those who wait wait no longer. */
  refuse(error: Error): void {
    for (const waiter of this.#waiting) waiter.refused(error);
  }
}

/**
 * One wallet's subscription. It is told what differs from what it was told before, and nothing before
 * the first status had time to leave.
 */
export class Listener {
  readonly #onStatus: (status: Status) => void;
  #status: Status | undefined;
  #told: Status | undefined;
  #state: 'new' | 'open' | 'closed' = 'new';

  constructor(onStatus: (status: Status) => void) {
    this.#onStatus = onStatus;
  }

  /** The status to give as the first: this one, or a newer one that came since. */
  first(known: Status): Status {
    const status = this.#status === undefined ? known : this.#status;
    this.#status = status;
    this.#told = status;
    setImmediate(() => {
      if (this.#state === 'new') this.#state = 'open';
      this.#catchUp();
    });
    return status;
  }

  tell(status: Status): void {
    this.#status = status;
    this.#catchUp();
  }

  close(): void {
    this.#state = 'closed';
  }

  #catchUp(): void {
    const status = this.#status;
    if (this.#state !== 'open' || status === undefined || status === this.#told) return;
    this.#told = status;
    this.#onStatus(status);
  }
}
