import { once } from 'node:events';
import { type Duplex } from 'node:stream';

/** Reads what comes first, and puts it back. Undefined when nothing comes until the signal aborts. */
export async function firstByteOf(
  stream: Duplex,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    await once(stream, 'readable', { signal });
  } catch {
    return undefined;
  }
  const chunk = stream.read() as Buffer | null;
  if (chunk === null) return undefined;
  stream.unshift(chunk);
  return chunk[0];
}
