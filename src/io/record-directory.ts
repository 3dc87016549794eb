import { join } from 'node:path';
import { messageOf, UserError } from '../base/errors.ts';
import {
  makePrivateDirectory,
  namesIn,
  readIfPresent,
  removeIfPresent,
  writeDurably,
} from './durable-file.ts';

const HALF_WRITTEN = '.tmp';

/** A directory of files, each written whole: after a crash a record is there or it is not. */
export class RecordDirectory {
  readonly #path: string;
  readonly #names: Set<string>;

  private constructor(path: string, names: readonly string[]) {
    this.#path = path;
    this.#names = new Set(names);
  }

  /** Makes it, mode 0700, and removes what a crash left half written. */
  static async open(path: string): Promise<RecordDirectory> {
    await makePrivateDirectory(path);
    const names = await namesIn(path);
    const left = names.filter((name) => name.endsWith(HALF_WRITTEN));
    for (const name of left) await removeIfPresent(join(path, name));
    return new RecordDirectory(
      path,
      names.filter((name) => !left.includes(name)),
    );
  }

  /** Sorted. */
  get names(): readonly string[] {
    return [...this.#names].sort();
  }

  async read(name: string): Promise<Uint8Array> {
    const bytes = await readIfPresent(join(this.#path, name));
    if (bytes === undefined) throw new Error(`the record ${name} is gone`);
    return bytes;
  }

  /**
   * What `decode` makes of a record.
   * @throws UserError naming the file when `decode` does not take it: no crash damages one.
   */
  async decoded<T>(name: string, decode: (bytes: Uint8Array) => T): Promise<T> {
    const bytes = await this.read(name);
    try {
      return decode(bytes);
    } catch (cause) {
      throw new UserError(`${join(this.#path, name)} is damaged: ${messageOf(cause)}`, {
        hint: 'Look at the disk first. Without this file the rest goes on: move it away.',
        cause,
      });
    }
  }

  /** Replaces one of the same name. When this resolves, it survives a power cut. */
  async write(name: string, data: Uint8Array | string): Promise<void> {
    await writeDurably(join(this.#path, name), data);
    this.#names.add(name);
  }

  async remove(name: string): Promise<void> {
    await removeIfPresent(join(this.#path, name));
    this.#names.delete(name);
  }
}
