import { type DirectorySource } from './directory-source.ts';

/** Sources in the order in which they are asked, by several at a time, who share them. */
export class SourceQueue {
  readonly #left: DirectorySource[];
  readonly #families = new Set<string>();

  constructor(sources: readonly DirectorySource[]) {
    this.#left = [...sources];
  }

  /** The next that is not of a family of which one is being asked, or has answered. */
  take(): DirectorySource | undefined {
    const next = this.#left.findIndex(
      ({ family }) => family === undefined || !this.#families.has(family),
    );
    const [source] = next < 0 ? [] : this.#left.splice(next, 1);
    if (source?.family !== undefined) this.#families.add(source.family);
    return source;
  }

  /** It has not answered: another of its family may. */
  giveUp({ family }: DirectorySource): void {
    if (family !== undefined) this.#families.delete(family);
  }
}
