import type { Logger } from '../base/log.ts';
import type { Backend } from './backend.ts';
import { dockerBackend } from './docker/docker-backend.ts';
import type { Plan } from './plan.ts';

/** What runs a plan, as its configuration says. */
export function chooseBackend(options: { readonly plan: Plan; readonly log: Logger }): Backend {
  const { backend } = options.plan.config;
  if (backend === 'docker') return dockerBackend(options);
  throw new Error(`no backend ${backend}`);
}
