import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { unlessAborted } from '../base/unless-aborted.ts';

/** Waits for half to one and a half times the mean, so that no rhythm tells one client from another. */
export async function nowAndThen(meanMs: number, signal: AbortSignal): Promise<void> {
  await sleep(randomInt(meanMs / 2, 1.5 * meanMs), undefined, { signal });
}

/** Turns what is told at any time into something to wait for. */
export class News {
  #told = false;
  #wake: () => void = () => undefined;

  tell(): void {
    this.#told = true;
    this.#wake();
  }

  /**
   * Resolves when something was told since this was last awaited, and after `atMostMs` anyway. For
   * one caller at a time. Rejects with the signal's reason.
   */
  async next(atMostMs: number, signal: AbortSignal): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const news = new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, atMostMs);
      if (this.#told) resolve();
    });
    await unlessAborted(news, signal).finally(() => {
      clearTimeout(timer);
    });
    this.#told = false;
  }
}
