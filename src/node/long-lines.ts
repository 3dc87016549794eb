import type { Duplex } from 'node:stream';
import type { Gate } from '../electrum/gate.ts';
import type { GuardLimits } from './guard-limits.ts';

const NEWLINE = 0x0a;

export interface LongLinesOptions {
  readonly places: Gate;
  readonly limits: Pick<GuardLimits, 'longBytes' | 'longLineMs'>;
}

/**
 * The bytes of a client. Whoever is amid a long line takes one of few places, until the line is done
 * with, and otherwise waits unread: so what unfinished lines take of the memory is bounded, however
 * many clients send them. Who holds a place for too long is closed.
 */
export async function* longLinesInTurn(
  stream: Duplex,
  { places, limits }: LongLinesOptions,
): AsyncGenerator<Buffer> {
  let unfinished = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const end = chunk.lastIndexOf(NEWLINE) + 1;
      unfinished = end > 0 ? chunk.length - end : unfinished + chunk.length;
      if (unfinished > limits.longBytes && timer === undefined) {
        await places.enter();
        timer = setTimeout(() => stream.destroy(), limits.longLineMs);
      }
      yield chunk;
      // Whoever asks for more is done with the lines of this chunk.
      if (end > 0 && timer !== undefined && unfinished <= limits.longBytes) {
        clearTimeout(timer);
        timer = undefined;
        places.leave();
      }
    }
  } finally {
    if (timer !== undefined) {
      clearTimeout(timer);
      places.leave();
    }
  }
}
