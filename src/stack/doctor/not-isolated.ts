import type { Check } from '../finding.ts';
import { warning } from '../outcome.ts';

/** Said aloud, because it is the one thing that the process backend cannot give. */
export const notIsolated: Check = {
  id: 'isolation',
  title: 'nothing but tor reaches the world',
  run: () =>
    Promise.resolve(
      warning(
        'not enforced by the process backend: services are only told to use tor',
        'If you can have Docker, let it keep them in: backend: docker in sotto.yaml',
      ),
    ),
};
