import { UserError } from '../../base/errors.ts';
import type { Check } from '../finding.ts';
import { fine } from '../outcome.ts';
import { requirePrograms } from '../process/find-programs.ts';
import { requireTor } from '../../tor/tor-program.ts';
import type { Subject } from './subject.ts';

/** As the commands of the services have them. */
const NAMES = { fulcrum: 'Fulcrum', electrs: 'electrs' } as const;

export function programsCheck({ config }: Subject): Check {
  return {
    id: 'programs',
    title: 'programs',
    async run({ signal }) {
      const names =
        config.target === 'devnet' ? ['tor'] : ['tor', 'bitcoind', NAMES[config.target]];
      const services = names.map((name) => ({ command: [name] as const }));
      try {
        await requirePrograms({ config, services });
        await requireTor(signal, config.process.programs.tor);
        return fine(names.join(', '));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return {
          verdict: 'fail',
          found: error.message,
          ...(error.hint !== undefined && { todo: error.hint }),
        };
      }
    },
  };
}
