import { constants } from 'node:os';
import type { ServiceState } from '../backend.ts';
import type { ServiceName } from '../service.ts';
import { type Container, labelOf } from './container.ts';

/** How a service is, from its container; `missing` without one. */
export function serviceState(service: ServiceName, container: Container | undefined): ServiceState {
  if (container === undefined) return { service, state: 'missing', restarts: 0 };
  const { State, RestartCount, Config, Image } = container;
  const state = STATES[State.Status] ?? 'stopped';
  const end = state === 'running' ? undefined : lastExit(State);
  return {
    service,
    state,
    restarts: RestartCount,
    ...(state === 'running' && { since: State.StartedAt }),
    ...(end !== undefined && { lastExit: end }),
    image: Config.Image,
    imageId: Image,
  };
}

/** The container of a service, not one of a `docker compose run` beside it. */
export function containerOf(
  service: ServiceName,
  containers: readonly Container[],
): Container | undefined {
  return containers.find(
    (each) => labelOf(each, 'service') === service && labelOf(each, 'oneOff') !== 'True',
  );
}

/** By the engine's words; every other is a kind of stopped. */
const STATES: Readonly<Record<string, 'running' | 'restarting'>> = {
  running: 'running',
  restarting: 'restarting',
};

const NEVER = '0001-01-01T00:00:00Z';
/** A shell's and the engine's way to say that a signal ended a program. */
const SIGNAL_BASE = 128;

function lastExit(state: Container['State']): string | undefined {
  if (state.OOMKilled) return 'out of memory';
  if (state.Error !== '') return state.Error;
  if (state.FinishedAt === NEVER) return undefined;
  const signal = Object.entries(constants.signals).find(
    ([, number]) => number === state.ExitCode - SIGNAL_BASE,
  );
  return signal?.[0] ?? `code ${state.ExitCode}`;
}
