import { execa } from 'execa';
import { endGroup } from './process-group.ts';
import { WholeLines } from './whole-lines.ts';

export interface ProgramLinesOptions {
  /** A path, or a name to look for on PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** A longer line is cut into several. */
  readonly maxLineBytes: number;
  /** Ends the program, and with it the lines. */
  readonly signal: AbortSignal;
}

/** One pipe for both outputs, so that their lines come in the order in which they were written. */
const BOTH_OUTPUTS = 'exec "$0" "$@" 2>&1';
const STOP_TIMEOUT_MS = 1_000;

/**
 * The lines that a program prints, from both of its outputs in order, until it ends. It waits while
 * nobody takes them. Ending the iteration ends the program.
 */
export async function* programLines(options: ProgramLinesOptions): AsyncGenerator<string> {
  const { command, args, maxLineBytes, signal } = options;
  if (signal.aborted) return;
  const child = execa('sh', ['-c', BOTH_OUTPUTS, command, ...args], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'ignore',
    buffer: false,
    detached: true,
    cleanup: false,
    reject: false,
  });
  const { pid } = child;
  if (pid === undefined) throw (await child).cause;
  const end = (): Promise<void> => endGroup(pid, { exited: child, timeoutMs: STOP_TIMEOUT_MS });
  const abort = (): void => void end();
  signal.addEventListener('abort', abort, { once: true });
  const whole = new WholeLines(maxLineBytes);
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>)
      yield* linesOf(whole.push(chunk));
    yield* linesOf(whole.end());
  } finally {
    signal.removeEventListener('abort', abort);
    child.stdout.destroy();
    await end();
  }
}

function linesOf(bytes: Uint8Array): string[] {
  const lines = Buffer.from(bytes).toString('utf8').split('\n');
  lines.pop();
  return lines;
}
