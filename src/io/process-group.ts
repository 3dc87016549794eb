import { setTimeout as sleep } from 'node:timers/promises';

export interface EndOptions {
  /** Resolves when the group's leader has ended. */
  readonly exited: Promise<unknown>;
  /** How long it may take to end by itself after SIGTERM. */
  readonly timeoutMs: number;
}

/** Sends a signal to every process of a group; nothing happens when it has ended already. */
export function signalGroup(leader: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Asks a process group to end, ends it when it does not, and waits until its leader has. */
export async function endGroup(leader: number, { exited, timeoutMs }: EndOptions): Promise<void> {
  signalGroup(leader, 'SIGTERM');
  const timer = new AbortController();
  const timeout = sleep(timeoutMs, 'timeout', timer).catch(() => undefined);
  if ((await Promise.race([exited, timeout])) === 'timeout') signalGroup(leader, 'SIGKILL');
  timer.abort();
  await exited;
}
