import process from 'node:process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** A variable in the environment that the processes of one owner have, and their children. */
export interface ProcessMark {
  readonly name: string;
  readonly value: string;
}

const POLL_MS = 100;

/** Processes of this user with the mark, besides this one. What has ended and is not buried is none. */
export async function findMarkedProcesses({ name, value }: ProcessMark): Promise<number[]> {
  const found: number[] = [];
  for (const id of (await readdir('/proc')).filter((each) => /^\d+$/.test(each))) {
    // It may end meanwhile, and belong to others. The dead have an empty environment.
    const environment = await readFile(`/proc/${id}/environ`, 'utf8').catch(() => '');
    if (environment.split('\0').includes(`${name}=${value}`)) found.push(Number(id));
  }
  return found.filter((id) => id !== process.pid);
}

/** Asks all processes with the mark to end, and ends those that do not in time. */
export async function endMarkedProcesses(
  mark: ProcessMark,
  { graceMs, signal }: { readonly graceMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + graceMs;
  let found = await findMarkedProcesses(mark);
  for (const id of found) tell(id, 'SIGTERM');
  while (found.length > 0) {
    await sleep(POLL_MS, undefined, { signal });
    found = await findMarkedProcesses(mark);
    if (performance.now() > deadline) for (const id of found) tell(id, 'SIGKILL');
  }
}

function tell(id: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(id, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
