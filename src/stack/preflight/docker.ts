import { UserError } from '../../base/errors.ts';
import { findEngine, tooOld } from '../docker/engine.ts';
import type { Check } from '../finding.ts';
import { failure, fine } from '../outcome.ts';

export function dockerCheck(): Check {
  return {
    id: 'docker',
    title: 'Docker',
    async run({ signal }) {
      try {
        const engine = await findEngine(signal);
        const { version, composeVersion, architecture } = engine;
        const complaints = tooOld(engine);
        if (complaints.length > 0) {
          return failure(complaints.join('; '), 'See https://docs.docker.com/engine/install');
        }
        return fine(`${version}, compose ${composeVersion}, ${architecture}`);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        const others = 'Or do without: --backend process';
        const todo = error.hint === undefined ? others : `${error.hint}\n${others}`;
        return failure(error.message, todo);
      }
    },
  };
}
