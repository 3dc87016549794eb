import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';

export interface DetachedOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What it prints goes there; made anew, mode 0600. */
  readonly outputFile: string;
}

export interface DetachedProcess {
  readonly pid: number;
  /** Resolves when it has ended, if this process has not ended before it. */
  readonly exited: Promise<void>;
}

/** Starts a program that outlives this one and its terminal. */
export async function startDetached(options: DetachedOptions): Promise<DetachedProcess> {
  const { command, args, env, outputFile } = options;
  await using output = await open(outputFile, 'w', 0o600);
  const child = spawn(command, args, {
    detached: true,
    cwd: '/',
    env,
    stdio: ['ignore', output.fd, output.fd],
  });
  await once(child, 'spawn');
  const exited = once(child, 'exit').then(() => undefined);
  child.unref();
  return { pid: child.pid ?? 0, exited };
}
