import { type VerifiedHistory } from '../lookup/lookup.ts';

type Status = string | null;
export type Listener = (status: Status) => void;

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

  /** Tells those who know the status before, and answers those who wait. */
  tell(history: VerifiedHistory, before: VerifiedHistory | undefined): void {
    if (before !== undefined && history.status !== before.status) {
      for (const listener of this.#listeners) listener(history.status);
    }
    for (const waiter of this.#waiting) waiter.told(history);
  }

  /** Those who wait wait no longer. */
  refuse(error: Error): void {
    for (const waiter of this.#waiting) waiter.refused(error);
  }
}
