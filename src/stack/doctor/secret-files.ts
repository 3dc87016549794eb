import { join, relative } from 'node:path';
import { looseFiles } from '../../io/loose-files.ts';
import type { Check } from '../finding.ts';
import type { Home } from '../home.ts';
import { failure, fine } from '../outcome.ts';

/** So many files are named where there are more. */
const NAMED = 3;

/** Keys and passwords are for their owner only. */
export function secretFiles(home: Home): Check {
  return {
    id: 'secret-files',
    title: 'files with secrets',
    async run() {
      const places = [
        home.secrets,
        ...['onions', 'client-keys'].map((name) => join(home.data('tor'), name)),
        home.data('node'),
        join(home.directory, 'config'),
      ];
      const loose = (await Promise.all(places.map(looseFiles))).flat();
      if (loose.length === 0) return fine('only their owners can read them');
      const names = loose.slice(0, NAMED).map((path) => relative(home.directory, path));
      const more = loose.length > NAMED ? ` and ${loose.length - NAMED} more` : '';
      return failure(
        `others have rights to ${names.join(', ')}${more}`,
        `Take them away: chmod -R go= ${home.directory}. Who had them may hold a copy: sotto rotate --help`,
      );
    },
  };
}
