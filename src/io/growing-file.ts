import { open } from 'node:fs/promises';

/** A file that is read in parts, cut and extended, for data that can be fetched again. */
export interface GrowingFile extends AsyncDisposable {
  size(): Promise<number>;
  /** Fewer bytes than `length` where the file ends. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Cuts the file at `offset` and writes there. A crash may leave a part of `bytes`. */
  replaceEnd(offset: number, bytes: Uint8Array): Promise<void>;
}

/** Opens or creates a file, mode 0600. */
export async function openGrowingFile(path: string): Promise<GrowingFile> {
  // Created by appending, because there is no flag for reading and writing that also creates.
  await (await open(path, 'a', 0o600)).close();
  const file = await open(path, 'r+');
  return {
    size: async () => (await file.stat()).size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await file.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    },
    async replaceEnd(offset, bytes) {
      await file.truncate(offset);
      for (let written = 0; written < bytes.length;) {
        written += (await file.write(bytes, written, null, offset + written)).bytesWritten;
      }
      await file.sync();
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}
