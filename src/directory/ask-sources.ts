import { setTimeout as sleep } from 'node:timers/promises';
import { unlessAborted } from '../base/unless-aborted.ts';
import type { DirectorySource } from './directory-source.ts';
import { SourceQueue } from './source-queue.ts';

export interface AskSourcesOptions<Answer> {
  /** How many answers are wanted, and so how many sources are asked side by side. */
  readonly wanted: number;
  /**
   * Until the next source is asked beside one that has not answered. From then on that one is waited for
   * only while no other has answered.
   */
  readonly patienceMs: number;
  readonly ask: (source: DirectorySource, signal: AbortSignal) => Promise<Answer>;
  /** Told why a source gave no answer. What it throws ends it all. */
  readonly onFailure: (source: DirectorySource, error: unknown) => void;
  readonly signal: AbortSignal;
}

/**
 * The answers of as many sources as are wanted, no two of one family, or of fewer when nobody is left to
 * ask; in the order of the sources.
 * @throws what `onFailure` throws; the signal's reason.
 */
export async function askSources<Answer extends object>(
  sources: readonly DirectorySource[],
  { wanted, patienceMs, ask, onFailure, signal }: AskSourcesOptions<Answer>,
): Promise<readonly Answer[]> {
  signal.throwIfAborted();
  const queue = new SourceQueue(sources);
  const answers = new Map<DirectorySource, Answer>();
  const asking = new Set<Promise<void>>();
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  let end: () => void = () => undefined;
  let fail: (reason: unknown) => void = () => undefined;
  const ended = new Promise<void>((resolve, reject) => ([end, fail] = [resolve, reject]));

  const askOne = async (source: DirectorySource): Promise<void> => {
    try {
      answers.set(source, await ask(source, until));
      if (answers.size >= wanted) end();
    } catch (error) {
      if (until.aborted) return;
      queue.giveUp(source);
      try {
        onFailure(source, error);
      } catch (reason) {
        fail(reason);
      }
    }
  };
  /** Resolves when a source that it asked has answered in time, or nobody is left to ask. */
  const oneAnswer = async (): Promise<void> => {
    while (!until.aborted) {
      const source = queue.take();
      if (source === undefined) return;
      const asked = askOne(source).finally(() => asking.delete(asked));
      asking.add(asked);
      await Promise.race([
        asked,
        sleep(patienceMs, undefined, { signal: until }).catch(() => undefined),
      ]);
      if (answers.has(source)) return;
    }
  };
  const wait = (work: readonly Promise<unknown>[]): Promise<unknown> =>
    unlessAborted(Promise.race([ended, ...work]), signal);
  try {
    do {
      // Those that failed late have made room for others of their families.
      await wait([Promise.all(Array.from({ length: wanted }, oneAnswer))]);
      if (answers.size === 0 && asking.size > 0) await wait([...asking]);
    } while (answers.size === 0 && asking.size > 0);
  } finally {
    stop.abort();
  }
  return sources.map((source) => answers.get(source)).filter((answer) => answer !== undefined);
}
