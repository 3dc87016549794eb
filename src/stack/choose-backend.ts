import type { Logger } from '../base/log.ts';
import type { Backend } from './backend.ts';
import { dockerBackend } from './docker/docker-backend.ts';
import type { Plan } from './plan.ts';
import { processBackend } from './process/process-backend.ts';

/** What runs a plan, as its configuration says. */
export function chooseBackend(options: { readonly plan: Plan; readonly log: Logger }): Backend {
  switch (options.plan.config.backend) {
    case 'docker':
      return dockerBackend(options);
    case 'process':
      return processBackend(options);
  }
}
