import { once } from 'node:events';
import type { Duplex } from 'node:stream';

/** A line was longer than allowed; the stream has been destroyed. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
}

export interface LineStream {
  /**
   * The lines, without their ends. Ends when the peer closes; an unfinished last line is dropped.
   * Throws `LineTooLongError` as soon as a line passes the limit. Reading waits for the consumer.
   */
  readonly lines: AsyncIterable<string>;
  /** Resolves at once, or when the peer has read enough that the buffer has room again. */
  write(line: string): Promise<void>;
  close(): void;
}

const NEWLINE = 0x0a;

/** Newline-delimited UTF-8 text over a byte stream, as Electrum's JSON-RPC and tor's control port use. */
export function lineStream(stream: Duplex, maxLineBytes: number): LineStream {
  stream.on('error', () => undefined);
  return {
    lines: linesOf(stream as AsyncIterable<Buffer>, maxLineBytes),
    async write(line) {
      if (stream.writable && !stream.write(`${line}\n`)) await drained(stream);
    },
    close: () => void stream.destroy(),
  };
}

/**
 * The lines of a stream, as `LineStream` has them. The next chunk is asked for when whoever consumes
 * the lines is done with those of the last.
 */
export async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  maxLineBytes: number,
): AsyncGenerator<string> {
  const parts: Buffer[] = [];
  let pending = 0;
  try {
    for await (const chunk of chunks) {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        parts.push(chunk.subarray(start, end));
        if (pending + end - start > maxLineBytes) throw tooLong(maxLineBytes);
        const line = parts.length === 1 ? chunk.subarray(start, end) : Buffer.concat(parts);
        parts.length = 0;
        pending = 0;
        start = end + 1;
        yield line.toString('utf8').replace(/\r$/, '');
      }
      if (start < chunk.length) parts.push(chunk.subarray(start));
      pending += chunk.length - start;
      if (pending > maxLineBytes) throw tooLong(maxLineBytes);
    }
  } catch (error) {
    if (error instanceof LineTooLongError) throw error;
    // A reset connection ends the lines as a close does.
  }
}

function tooLong(maxLineBytes: number): LineTooLongError {
  return new LineTooLongError(`a line of more than ${maxLineBytes} bytes`);
}

/** Resolves when a stream that was full has room again, or is closed. */
export async function drained(stream: Duplex): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]).catch(
    () => undefined,
  );
  settled.abort();
}
