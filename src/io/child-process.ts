import { once } from 'node:events';
import { type Readable } from 'node:stream';
import { execa } from 'execa';
import type { Running } from '../base/lifecycle.ts';
import { endGroup, signalGroup } from './process-group.ts';
import type { Reaper } from './reaper.ts';

export interface ChildOptions {
  /** A path, or a name to look for on PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** `env` is all that the child gets. */
  readonly isolateEnv?: boolean;
  readonly cwd?: string;
  /** Given on standard input, which closes where this ends. Secrets go here, never into `args`. */
  readonly input?: string | Readable;
  readonly onLine?: (line: string, from: 'stdout' | 'stderr') => void;
  /** Instead of `onLine`: pieces that end anywhere. The child waits while this does. */
  readonly onOutput?: (bytes: Uint8Array, from: 'stdout' | 'stderr') => Promise<void>;
  /** Aborts the start only; a started child is stopped by disposing it. */
  readonly signal: AbortSignal;
  /** How long the child may take to end by itself after SIGTERM. */
  readonly stopTimeoutMs: number;
  /** Ends the child if this process cannot. */
  readonly reaper?: Reaper | undefined;
}

export interface ChildExit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

export interface Child extends Running {
  readonly pid: number;
  /** Resolves when the child has ended, for whatever reason, and its last line has been given. */
  readonly exited: Promise<ChildExit>;
}

/** A child ended that should have run on. */
export class ChildExitError extends Error {
  override readonly name = 'ChildExitError';
  readonly exit: ChildExit;

  constructor(command: string, exit: ChildExit) {
    super(`${command} ended by itself with ${exit.signal ?? `code ${exit.code ?? 'unknown'}`}`);
    this.exit = exit;
  }
}

/**
 * Starts a program as the leader of its own process group; what it leaves behind in the group ends
 * with it. `failed` rejects with `ChildExitError` when it ends by itself, even with code 0.
 * @throws an error with code ENOENT when there is no such program.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { command, args, env, isolateEnv = false, cwd, input, signal } = options;
  const { onLine, onOutput, stopTimeoutMs, reaper } = options;
  const output = onLine || onOutput ? 'pipe' : 'ignore';
  signal.throwIfAborted();
  const child = execa(command, args, {
    ...(env && { env }),
    extendEnv: !isolateEnv,
    ...(cwd !== undefined && { cwd }),
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
    stdout: output,
    stderr: output,
    buffer: false,
    detached: true,
    cleanup: false,
    reject: false,
  });
  if (child.pid === undefined) throw (await child).cause;
  const { pid } = child;
  reaper?.watchProcess(pid);
  const outputs = (['stdout', 'stderr'] as const).map(async (from) => {
    if (onLine) for await (const line of child.iterable({ from })) onLine(line, from);
    if (onOutput) {
      const pieces = child.iterable({ from, binary: true, preserveNewlines: true });
      for await (const bytes of pieces) await onOutput(bytes, from);
    }
  });
  let stopping = false;
  const exited = once(child, 'exit').then(async () => {
    signalGroup(pid, 'SIGKILL');
    reaper?.forgetProcess(pid);
    const { exitCode, signal: killedBy } = await child;
    await Promise.all(outputs);
    return { code: exitCode, signal: killedBy };
  });
  const failed = exited.then((exit) =>
    stopping
      ? new Promise<never>(() => undefined)
      : Promise.reject(new ChildExitError(command, exit)),
  );
  failed.catch(() => undefined);
  return {
    pid,
    exited,
    failed,
    async [Symbol.asyncDispose]() {
      stopping = true;
      await endGroup(pid, { exited, timeoutMs: stopTimeoutMs });
    },
  };
}
