import type { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { type Running, Scope } from '../base/lifecycle.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import { startChild } from '../io/child-process.ts';
import { programPath } from '../io/program-path.ts';
import type { Reaper } from '../io/reaper.ts';

export interface ProgramOptions<Ready extends z.ZodType> {
  /** A file of the build, such as `cli/main.js`. */
  readonly file: string;
  readonly args: readonly string[];
  /** Given on standard input; secrets go here or into files, never into `args`. */
  readonly input?: string;
  /** What the program's first line on standard output says when it is ready, as JSON. */
  readonly ready: Ready;
  /** Aborts the start only. */
  readonly signal: AbortSignal;
  readonly reaper?: Reaper | undefined;
}

export interface Program<Ready> extends Running {
  readonly pid: number;
  readonly ready: Ready;
}

const STOP_TIMEOUT_MS = 5000;
const KEPT_LINES = 20;

/**
 * Starts a program of this package in a process of its own and waits for its first line.
 * @throws UserError with its last words when it ends before that.
 */
export async function startProgram<Ready extends z.ZodType>(
  options: ProgramOptions<Ready>,
): Promise<Program<z.output<Ready>>> {
  const { file, args, input, ready, signal, reaper } = options;
  const words: string[] = [];
  let firstLine: (line: string) => void = () => undefined;
  const said = new Promise<string>((resolve) => {
    firstLine = resolve;
  });
  await using starting = new Scope();
  const child = starting.use(
    await startChild({
      command: process.execPath,
      args: [programPath(file), ...args],
      ...(input !== undefined && { input }),
      signal,
      stopTimeoutMs: STOP_TIMEOUT_MS,
      reaper,
      onLine: (line, from) => {
        if (from === 'stdout') firstLine(line);
        else if (words.push(line) > KEPT_LINES) words.shift();
      },
    }),
  );
  const failed = child.failed.catch((cause: unknown): never => {
    throw new UserError(`${file} ended by itself. Its last words are below.`, {
      hint: words.join('\n'),
      cause,
    });
  });
  failed.catch(() => undefined);
  const line = await unlessAborted(Promise.race([said, failed]), signal);
  const started = starting.move();
  return {
    pid: child.pid,
    ready: ready.parse(JSON.parse(line)),
    failed,
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}
