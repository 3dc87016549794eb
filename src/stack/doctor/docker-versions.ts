import { findEngine, tooOld } from '../docker/engine.ts';
import type { Check } from '../finding.ts';
import { failure, fine } from '../outcome.ts';

/** Docker is there, runs, is ours to use, and new enough. */
export const dockerVersions: Check = {
  id: 'docker',
  title: 'Docker',
  async run({ signal }) {
    const engine = await findEngine(signal);
    const complaints = tooOld(engine);
    if (complaints.length > 0) {
      return failure(complaints.join('; '), 'See https://docs.docker.com/engine/install');
    }
    return fine(`Engine ${engine.version}, Compose ${engine.composeVersion}`);
  },
};
