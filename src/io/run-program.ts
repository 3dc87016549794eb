import { execa } from 'execa';
import { endGroup } from './process-group.ts';

export interface ProgramRun {
  /** A path, or a name to look for on PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Given on standard input, which then closes. Secrets go here, never into `args`. */
  readonly input?: string | Uint8Array;
  /** Of standard output and of standard error, each. */
  readonly maxOutputBytes: number;
  /** Ends the program and all it started. */
  readonly signal: AbortSignal;
}

export interface ProgramOutput {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const STOP_TIMEOUT_MS = 1_000;

/**
 * Runs a program to its end, whatever its exit code, and hands back what it printed.
 * @throws an error with code ENOENT when there is no such program; RangeError when it prints more
 * than allowed; the signal's reason when aborted, once it has ended.
 */
export async function runProgram(run: ProgramRun): Promise<ProgramOutput> {
  const { command, args, env, cwd, input, maxOutputBytes, signal } = run;
  signal.throwIfAborted();
  const child = execa(command, args, {
    ...(env && { env }),
    ...(cwd !== undefined && { cwd }),
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
    maxBuffer: maxOutputBytes,
    encoding: 'buffer',
    stripFinalNewline: false,
    detached: true,
    cleanup: false,
    reject: false,
  });
  const { pid } = child;
  if (pid === undefined) throw (await child).cause;
  const end = (): void => void endGroup(pid, { exited: child, timeoutMs: STOP_TIMEOUT_MS });
  signal.addEventListener('abort', end, { once: true });
  try {
    const { exitCode, stdout, stderr, isMaxBuffer } = await child;
    signal.throwIfAborted();
    if (isMaxBuffer) throw new RangeError(`${command} printed more than ${maxOutputBytes} bytes`);
    return { code: exitCode, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    signal.removeEventListener('abort', end);
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
