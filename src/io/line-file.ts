import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

/** A file that only grows, by whole lines. */
export interface LineFile extends AsyncDisposable {
  append(line: string): void;
}

/** Opens or creates a file, mode 0600, and appends to it. Disposing it waits for the last line. */
export async function openLineFile(path: string): Promise<LineFile> {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  await once(stream, 'open');
  stream.on('error', () => undefined);
  return {
    append: (line) => void stream.write(`${line}\n`),
    async [Symbol.asyncDispose]() {
      const closed = once(stream, 'close');
      stream.end();
      await closed;
    },
  };
}
