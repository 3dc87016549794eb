import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** What is awaited, for the error: "tor to bootstrap". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** What was awaited did not come in time. */
export class WaitTimeoutError extends Error {
  override readonly name = 'WaitTimeoutError';
}

/**
 * Asks again and again until the answer is not undefined, and returns it.
 * @throws WaitTimeoutError after `timeoutMs`; the signal's reason when aborted; whatever `ask` throws.
 */
export async function waitUntil<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  { what, timeoutMs, intervalMs, signal }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= deadline) {
      throw new WaitTimeoutError(`waited ${Math.round(timeoutMs / 1000)} s for ${what} in vain`);
    }
    await sleep(intervalMs, undefined, { signal });
  }
}
