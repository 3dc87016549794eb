import { ElectrumClientError } from './client-error.ts';

export interface DeadlineOptions {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
}

/**
 * Runs the work with a signal that aborts when the given one does, or with an
 * `ElectrumClientError` of code 'timeout' when the time is over.
 */
export async function withDeadline<T>(
  { signal, timeoutMs }: DeadlineOptions,
  work: (deadline: AbortSignal) => Promise<T>,
): Promise<T> {
  // AbortSignal.any and AbortSignal.timeout cost several times as much, for each call.
  const deadline = new AbortController();
  const abort = (): void => {
    deadline.abort(signal?.reason);
  };
  const timer = setTimeout(() => {
    deadline.abort(new ElectrumClientError('timeout', `no answer within ${timeoutMs} ms`));
  }, timeoutMs);
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) abort();
  try {
    return await work(deadline.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
