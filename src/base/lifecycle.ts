/** Something that was started. Disposing it stops it; `failed` rejects if it stops by itself. */
export interface Running extends AsyncDisposable {
  readonly failed: Promise<never>;
}

/** Rejects when the first of the parts fails. Watching it is optional: it never goes unhandled. */
export function firstFailure(...parts: readonly Running[]): Promise<never> {
  const failed = Promise.race(parts.map((part) => part.failed));
  failed.catch(() => undefined);
  return failed;
}

/**
 * Resources that stop together, last started first. Node 20 has no `AsyncDisposableStack`;
 * delete this class for it once the floor is Node 24.
 */
export class Scope implements AsyncDisposable {
  readonly #resources: AsyncDisposable[] = [];

  use<T extends AsyncDisposable>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  /**
   * Resources that start side by side. When one fails to, the others are still awaited, so that none
   * outlives the scope.
   * @throws what the first of them in the list that failed threw.
   */
  async useAll<T extends AsyncDisposable>(starting: readonly Promise<T>[]): Promise<T[]> {
    const settled = await Promise.allSettled(starting);
    const started = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    this.#resources.push(...started);
    const failure = settled.find((each) => each.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    return started;
  }

  /** Runs `stop` when the scope is disposed. */
  defer(stop: () => Promise<void> | void): void {
    this.#resources.push({ [Symbol.asyncDispose]: async () => stop() });
  }

  /** Hands the resources to the caller's own scope, once a start-up has succeeded. */
  move(): Scope {
    const moved = new Scope();
    moved.#resources.push(...this.#resources.splice(0));
    return moved;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (const resource of this.#resources.splice(0).reverse()) {
      try {
        await resource[Symbol.asyncDispose]();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, 'several resources failed to stop');
  }
}
