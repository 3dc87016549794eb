import { type Edge, edgesOf } from '../edges.ts';
import type { Plan } from '../plan.ts';
import { SERVICE_NAMES } from '../service.ts';

/**
 * Every network of compose.yaml, whichever services there are: a container is also on those on which
 * it would meet one that this server does without.
 */
export function allEdges({ config }: Pick<Plan, 'config'>): readonly Edge[] {
  return edgesOf(config.docker.networkPrefix, SERVICE_NAMES);
}
