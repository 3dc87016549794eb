import type { Logger } from '../base/log.ts';
import type { Backend } from './backend.ts';
import type { Plan } from './plan.ts';

/** What runs a plan, as its configuration says. */
export function chooseBackend({ plan }: { readonly plan: Plan; readonly log: Logger }): Backend {
  throw new Error(`no backend ${plan.config.backend}`);
}
