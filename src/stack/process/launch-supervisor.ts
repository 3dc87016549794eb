import process from 'node:process';
import { fromUtf8 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { startDetached } from '../../io/detached-process.ts';
import { makePrivateDirectory, readIfPresent } from '../../io/durable-file.ts';
import { lockFile } from '../../io/file-lock.ts';
import { isCode } from '../../io/file-tree.ts';
import { programPath } from '../../io/program-path.ts';
import { waitUntil } from '../../io/wait-until.ts';
import type { Home } from '../home.ts';
import type { Plan } from '../plan.ts';
import { askSupervisor } from './control.ts';
import { checkMachine } from './preflight.ts';
import {
  controlSocketOf,
  lastWordsOf,
  servicesLockOf,
  supervisorLockOf,
  supervisorLogOf,
} from './run-files.ts';
import { GRACE_SECONDS } from './take-home.ts';

const POLL_MS = 100;
const START_SECONDS = 60;
/** How long the supervisor takes besides its services. */
const STOP_SECONDS = 30;

/**
 * Starts `sotto run` so that it outlives this process, and waits until it answers. Another may be
 * starting already: then that one.
 * @throws UserError with its last words when it ends instead.
 */
export async function launchSupervisor(plan: Plan, signal: AbortSignal): Promise<void> {
  const { home } = plan;
  if (await isFree(home)) await checkMachine(plan, signal);
  await makePrivateDirectory(home.run);
  const supervisor = await startDetached({
    command: process.execPath,
    args: [
      ...[programPath('cli/main.js'), 'run', '--home', home.directory],
      ...['--log-file', supervisorLogOf(home)],
    ],
    env: environment(),
    outputFile: lastWordsOf(home),
  });
  let hasEnded = false;
  void supervisor.exited.then(() => (hasEnded = true));
  await waitUntil(
    async () => {
      const states = await askSupervisor(controlSocketOf(home), { command: 'states' }, signal);
      if (states === undefined && hasEnded && (await isFree(home))) throw await lastWords(home);
      return states;
    },
    {
      what: 'the supervisor to start',
      timeoutMs: (GRACE_SECONDS + START_SECONDS) * 1000,
      intervalMs: POLL_MS,
      signal,
    },
  );
}

/** Waits until no supervisor runs, nor any service that one has left. */
export async function awaitEnd({ home, services }: Plan, signal: AbortSignal): Promise<void> {
  await waitUntil(async () => (await isFree(home)) || undefined, {
    what: 'the services to end',
    timeoutMs: stopSecondsOf(services) * 1000,
    intervalMs: POLL_MS,
    signal,
  });
}

/** How long a supervisor may take to end: its services end one after the other. */
export function stopSecondsOf(services: Plan['services']): number {
  return services.reduce((sum, { stopSeconds }) => sum + stopSeconds, STOP_SECONDS);
}

async function isFree(home: Home): Promise<boolean> {
  try {
    for (const path of [supervisorLockOf(home), servicesLockOf(home)]) {
      await using lock = await lockFile(path);
      if (lock === undefined) return false;
    }
  } catch (error) {
    // It has never run.
    if (!isCode(error, 'ENOENT')) throw error;
  }
  return true;
}

async function lastWords(home: Home): Promise<UserError> {
  const bytes = await readIfPresent(lastWordsOf(home));
  const words = bytes
    ? fromUtf8(bytes)
        .trim()
        .replace(/^sotto: /, '')
    : '';
  const [message = '', ...hint] = words.split('\n');
  return message === ''
    ? new UserError('the supervisor ended without a word', {
        hint: `Its log may tell why: ${supervisorLogOf(home)}`,
      })
    : new UserError(message, { hint: hint.join('\n') });
}

/** npm's variables would tie the supervisor to the npm that this process may run under. */
function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || name.startsWith('npm_') ? [] : [[name, value] as const],
    ),
  );
}
