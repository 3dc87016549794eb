import { type Running, Scope } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/log.ts';
import { unlessAborted } from '../../base/unless-aborted.ts';
import type { ServiceState } from '../backend.ts';
import type { Home } from '../home.ts';
import type { Plan } from '../plan.ts';
import { startSupervisorControl, type SupervisorRequest } from './control.ts';
import { checkChange, checkMachine } from './preflight.ts';
import { controlSocketOf } from './run-files.ts';
import { startService } from './start-service.ts';
import { Supervisor } from './supervisor.ts';
import { takeHome } from './take-home.ts';
import { realTiming } from './timing.ts';

export interface RunServicesOptions {
  readonly home: Home;
  /** Reads what is to run, anew each time, and puts its files in place. @throws UserError */
  readonly loadPlan: () => Promise<Plan>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Runs the services of a home as processes, until the signal aborts or the control socket is told to
 * stop. All have ended when this settles.
 * @throws UserError for what the person can mend; the signal's reason.
 */
export async function runServices(options: RunServicesOptions): Promise<void> {
  const { home, loadPlan, log, signal } = options;
  await using scope = new Scope();
  const { reaper } = scope.use(await takeHome(home, { log, signal }));
  let plan = await loadPlan();
  await checkMachine(plan, signal);
  const supervisor = scope.use(
    new Supervisor({
      start: (spec) => startService(spec, { plan, reaper, signal }),
      timing: realTiming,
      log,
    }),
  );
  const stop = new AbortController();
  const handle = async (request: SupervisorRequest): Promise<readonly ServiceState[]> => {
    if (request.command === 'stop') stop.abort();
    if (request.command === 'reload' || request.command === 'restart') {
      const next = await loadPlan();
      await checkChange(plan, next);
      plan = next;
      await supervisor.apply(plan, request.command === 'restart' ? request.services : []);
    }
    return supervisor.states();
  };
  const started = supervisor.apply(plan);
  const control = await startSupervisorControl({ path: controlSocketOf(home), handle, log });
  scope.use(control);
  await started;
  log.info('every service was started');
  await stopOf(control, AbortSignal.any([signal, stop.signal]));
  signal.throwIfAborted();
}

async function stopOf(control: Running, signal: AbortSignal): Promise<void> {
  try {
    await unlessAborted(control.failed, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
