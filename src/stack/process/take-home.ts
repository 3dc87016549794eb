import { Scope } from '../../base/lifecycle.ts';
import { UserError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { makePrivateDirectory } from '../../io/durable-file.ts';
import { type FileLock, lockFile } from '../../io/file-lock.ts';
import { endMarkedProcesses } from '../../io/marked-processes.ts';
import { type Reaper, startReaper } from '../../io/reaper.ts';
import { waitUntil, WaitTimeoutError } from '../../io/wait-until.ts';
import type { Home } from '../home.ts';
import { markOf, servicesLockOf, supervisorLockOf } from './run-files.ts';

export interface TakenHome extends AsyncDisposable {
  /** Ends the services if this process cannot. */
  readonly reaper: Reaper;
}

/** How long services may take that lost their supervisor. */
export const GRACE_SECONDS = 60;
const MARGIN_SECONDS = 30;
const POLL_MS = 100;
const PATIENCE_MS = 1_000;

/**
 * Makes this process the one that runs a home's services. What a supervisor left that was killed has
 * ended when this resolves.
 * @throws UserError when another runs them.
 */
export async function takeHome(
  home: Home,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<TakenHome> {
  await using scope = new Scope();
  await makePrivateDirectory(home.run);
  scope.use(await lockSupervisor(home, signal));
  const services = scope.use(await lockServices(home, { log, signal }));
  await endMarkedProcesses(markOf(home), { graceMs: GRACE_SECONDS * 1000, signal });
  const reaper = scope.use(await startReaper({ graceSeconds: GRACE_SECONDS, lock: services }));
  const taken = scope.move();
  return { reaper, [Symbol.asyncDispose]: () => taken[Symbol.asyncDispose]() };
}

async function lockSupervisor(home: Home, signal: AbortSignal): Promise<FileLock> {
  // Whoever looks whether one runs holds the lock for a moment.
  const options = { timeoutMs: PATIENCE_MS, intervalMs: POLL_MS, signal };
  try {
    return await waitUntil(() => lockFile(supervisorLockOf(home)), { what: 'a lock', ...options });
  } catch (cause) {
    if (!(cause instanceof WaitTimeoutError)) throw cause;
    throw new UserError(`the server in ${home.directory} runs already`, {
      hint: 'See how it is with: sotto status. End it with: sotto down',
      cause,
    });
  }
}

/** The reaper of a supervisor that was killed holds the lock until the last service has ended. */
async function lockServices(
  home: Home,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<FileLock> {
  const path = servicesLockOf(home);
  const free = await lockFile(path);
  if (free !== undefined) return free;
  log.info('waiting for the services of a killed supervisor to end');
  return await waitUntil(() => lockFile(path), {
    what: 'the services of a killed supervisor to end',
    timeoutMs: (GRACE_SECONDS + MARGIN_SECONDS) * 1000,
    intervalMs: POLL_MS,
    signal,
  });
}
