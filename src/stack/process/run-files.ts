import { join } from 'node:path';
import type { ProcessMark } from '../../io/marked-processes.ts';
import type { Home } from '../home.ts';
import type { ServiceName } from '../service.ts';

/** The supervisor's control socket. */
export function controlSocketOf({ run }: Home): string {
  return join(run, 'control');
}

/** Locked by the supervisor alone: there is one for each home. */
export function supervisorLockOf({ run }: Home): string {
  return join(run, 'supervisor.lock');
}

/** Locked as long as the supervisor's services may run: also when it was killed, until they ended. */
export function servicesLockOf({ run }: Home): string {
  return join(run, 'services.lock');
}

/** What the supervisor printed when it ended. */
export function lastWordsOf({ run }: Home): string {
  return join(run, 'last-words');
}

/** What the supervisor says itself. */
export function supervisorLogOf({ logs }: Home): string {
  return join(logs, 'supervisor.log');
}

export function serviceLogOf({ logs }: Home, service: ServiceName): string {
  return join(logs, `${service}.log`);
}

export const LOG_FILES = 4;
export const LOG_FILE_BYTES = 8 * 1024 * 1024;

/** By which every process of a home's services is known. */
export function markOf({ directory }: Home): ProcessMark {
  return { name: 'SOTTO_SUPERVISED', value: directory };
}
