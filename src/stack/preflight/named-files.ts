import { missingPlaces } from '../backup/missing-places.ts';
import type { Check } from '../finding.ts';
import { fine } from '../outcome.ts';
import type { Subject } from './subject.ts';

/** Whether the files are there that the configuration names. Storage is made. */
export function namedFilesCheck({ config }: Subject): Check {
  return {
    id: 'files',
    title: 'files',
    async run() {
      const missing = (await missingPlaces(config)).filter(({ setting }) => setting !== 'storage');
      if (missing.length === 0) return fine('all that are named are there');
      return {
        verdict: 'fail',
        found: missing.map(({ setting, path }) => `there is no ${path} (${setting})`).join(', '),
        todo: 'Put it there, or leave it out.',
      };
    },
  };
}
