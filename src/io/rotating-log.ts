import { type FileHandle, open, rename } from 'node:fs/promises';
import { concatBytes, utf8 } from '../base/bytes.ts';

export interface RotatingLogOptions {
  readonly path: string;
  /** A file that would grow beyond it becomes `<path>.1`, and that one `<path>.2`. */
  readonly maxBytes: number;
  /** How many files there are at most, the current one included. */
  readonly files: number;
}

/** A log that takes a bounded part of the disk. */
export interface RotatingLog extends AsyncDisposable {
  /**
   * Appends whole lines, after what was given before. Resolves when they are written, or lost because
   * the disk refused them: the log tells how many bytes were, once it takes lines again.
   */
  append(lines: Uint8Array): Promise<void>;
}

const EMPTY = new Uint8Array();

/** Opened at the first line, mode 0600. Never throws: who writes a log goes on without it. */
export function rotatingLog(options: RotatingLogOptions): RotatingLog {
  const log = new Log(options);
  let last = Promise.resolve();
  const inTurn = (step: () => Promise<void>): Promise<void> => (last = last.then(step));
  return {
    append: (lines) => inTurn(() => log.append(lines)),
    [Symbol.asyncDispose]: () => inTurn(() => log.close()),
  };
}

class Log {
  readonly #options: RotatingLogOptions;
  #file: FileHandle | undefined;
  #size = 0;
  #lost = 0;
  #reason = '';

  constructor(options: RotatingLogOptions) {
    this.#options = options;
  }

  async append(lines: Uint8Array): Promise<void> {
    try {
      let file = this.#file ?? (await this.#open());
      if (this.#size > 0 && this.#size + lines.length > this.#options.maxBytes) {
        await this.#shift();
        file = await this.#open();
      }
      const bytes = concatBytes(this.#notice(), lines);
      for (let written = 0; written < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, written);
        written += bytesWritten;
        this.#size += bytesWritten;
      }
      this.#lost = 0;
    } catch (error) {
      this.#lost += lines.length;
      this.#reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
      await this.close();
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#options.path, 'a', 0o600);
    this.#file = file;
    this.#size = (await file.stat()).size;
    return file;
  }

  async #shift(): Promise<void> {
    await this.close();
    const { path, files } = this.#options;
    for (let age = files - 1; age > 0; age--) {
      await renameIfPresent(rotatedPath(path, age - 1), rotatedPath(path, age));
    }
  }

  /** Begins a line of its own: what was lost may have been cut within a line. */
  #notice(): Uint8Array {
    if (this.#lost === 0) return EMPTY;
    return utf8(`\n[${this.#lost} bytes of this log were lost: ${this.#reason}]\n`);
  }
}

/** Where the log of an age is: 0 is the one that grows. */
export function rotatedPath(path: string, age: number): string {
  return age === 0 ? path : `${path}.${age}`;
}

async function renameIfPresent(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
