import { once } from 'node:events';
import { Duplex, Writable } from 'node:stream';
import { execa } from 'execa';
import { DialError } from './dial.ts';
import { endGroup } from './process-group.ts';

export interface ChildStreamOptions {
  /** A path, or a name to look for on PATH. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the stream and the program, also once the stream is open. */
  readonly signal: AbortSignal;
}

/** What the program writes first, when what it stands for is open. */
export const OPENED = '+\n';

const STOP_TIMEOUT_MS = 1_000;
/** What is kept of what a program says went wrong. */
const MAX_COMPLAINT_BYTES = 4096;

/**
 * The standard input and output of a program, as a stream. The stream is open when the promise
 * resolves: when the program has written `OPENED`. Destroying it ends the program; what is not read
 * waits in the pipe, also when the program has ended.
 * @throws DialError, with what the program says on standard error, when it ends before; an error
 * with code ENOENT when there is no such program.
 */
export async function openChildStream(options: ChildStreamOptions): Promise<Duplex> {
  const { command, args, env, signal } = options;
  signal.throwIfAborted();
  const child = execa(command, args, {
    ...(env && { env }),
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    detached: true,
    cleanup: false,
    reject: false,
  });
  const { pid } = child;
  if (pid === undefined) throw (await child).cause;
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-MAX_COMPLAINT_BYTES);
  });
  const stream = Duplex.from({ readable: child.stdout, writable: inputOf(child.stdin) });
  stream.on('error', () => undefined).once('end', () => stream.end());
  const abort = (): void => void stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  stream.once('close', () => {
    signal.removeEventListener('abort', abort);
    void endGroup(pid, { exited: child, timeoutMs: STOP_TIMEOUT_MS });
  });
  if ((await firstBytes(stream)) !== OPENED) {
    stream.destroy();
    await child;
    signal.throwIfAborted();
    throw new DialError(complaint.trim() || `${command} did not open a stream`);
  }
  return stream;
}

/**
 * What is written goes to `stdin`. It does not fail or close when `stdin` does, as it does when the program
 * ends: with it would go what the program wrote last and nobody has read yet.
 */
function inputOf(stdin: Writable): Writable {
  stdin.on('error', () => undefined);
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      stdin.write(chunk, () => {
        done();
      });
    },
    final(done) {
      stdin.end(() => {
        done();
      });
    },
    destroy(error, done) {
      stdin.destroy();
      done(error);
    },
  });
}

/** As many bytes as `OPENED` has, or fewer when the stream ends before. */
async function firstBytes(stream: Duplex): Promise<string | undefined> {
  const closed = new AbortController();
  const stop = (): void => {
    closed.abort();
  };
  stream.once('close', stop).once('end', stop);
  try {
    for (;;) {
      const bytes = stream.read(OPENED.length) as Buffer | null;
      if (bytes) return bytes.toString('latin1');
      if (stream.destroyed || stream.readableEnded) return undefined;
      await once(stream, 'readable', { signal: closed.signal });
    }
  } catch {
    return undefined;
  } finally {
    stream.off('close', stop).off('end', stop);
  }
}
