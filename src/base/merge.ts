/**
 * The values of several sources as they come; no source is asked for more before its last value was
 * taken. Who stops early also has to end what the sources wait for: a generator that waits cannot
 * be told.
 * @throws what the first source that fails throws.
 */
export async function* merge<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  const pending = new Map(iterators.map((iterator) => [iterator, ask(iterator)]));
  try {
    while (pending.size > 0) {
      const { iterator, result } = await Promise.race(pending.values());
      if (result.done) {
        pending.delete(iterator);
      } else {
        yield result.value;
        pending.set(iterator, ask(iterator));
      }
    }
  } finally {
    for (const asked of pending.values()) asked.catch(() => undefined);
    for (const iterator of iterators) void iterator.return?.().catch(() => undefined);
  }
}

interface Answer<T> {
  readonly iterator: AsyncIterator<T>;
  readonly result: IteratorResult<T>;
}

async function ask<T>(iterator: AsyncIterator<T>): Promise<Answer<T>> {
  return { iterator, result: await iterator.next() };
}
