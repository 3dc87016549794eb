import type { Check, Outcome } from '../finding.ts';
import type { Backend, ServiceState } from '../backend.ts';
import { failure, fine, warning } from '../outcome.ts';

/** So many ends by itself are no accident. */
const MANY_RESTARTS = 5;

/** Every service of the plan runs, and goes on running. */
export function servicesCheck(backend: Pick<Backend, 'states'>): Check {
  return {
    id: 'services',
    title: 'services',
    run: async (options) => judgeServices(await backend.states(options)),
  };
}

export function judgeServices(states: readonly ServiceState[]): Outcome {
  const down = states.filter(({ state }) => state !== 'running');
  if (down.length === states.length) return failure('none runs', 'Start them: sotto up');
  const first = down[0];
  if (first !== undefined) {
    return failure(down.map(inWords).join('; '), `See why: sotto logs ${first.service}`);
  }
  const unruly = states.find(({ restarts }) => restarts >= MANY_RESTARTS);
  if (unruly !== undefined) {
    const { service, restarts } = unruly;
    const found = `all run, and ${service} ended by itself ${restarts} times`;
    return warning(found, `See why: sotto logs ${service}`);
  }
  return fine(`${states.length} run`);
}

function inWords({ service, state, lastExit }: ServiceState): string {
  const end = lastExit === undefined ? '' : ` (${lastExit})`;
  return state === 'restarting'
    ? `${service} ends again and again${end}`
    : `${service} is ${state}${end}`;
}
