import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** What is awaited, for the error: "tor to bootstrap". */
  readonly what: string;
  /** What there was instead when time ran out, for the error; nothing when absent or empty. */
  readonly instead?: () => string;
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
  { what, instead, timeoutMs, intervalMs, signal }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= deadline) {
      const seconds = Math.round(timeoutMs / 1000);
      const found = instead?.() ?? '';
      const end = found === '' ? '' : `: ${found}`;
      throw new WaitTimeoutError(`waited ${seconds} s for ${what} in vain${end}`);
    }
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}
