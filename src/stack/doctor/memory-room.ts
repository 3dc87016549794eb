import { freemem, totalmem } from 'node:os';
import type { Backend } from '../backend.ts';
import type { Check } from '../finding.ts';
import { failure, fine, warning } from '../outcome.ts';
import type { Plan } from '../plan.ts';

const MIB = 1024 * 1024;
const TODO = 'Let services take less: memory_mib in sotto.yaml, then sotto up. Or add memory.';

/** Services get the memory that they were promised. */
export function memoryRoom({ services }: Plan, backend: Pick<Backend, 'states'>): Check {
  return {
    id: 'memory',
    title: 'memory',
    async run({ signal }) {
      const starved = (await backend.states({ signal })).filter(
        ({ lastExit }) => lastExit === 'out of memory',
      );
      if (starved.length > 0) {
        const names = starved.map(({ service }) => service).join(', ');
        return failure(`${names} ended for want of memory`, TODO);
      }
      const most = services.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0);
      const has = Math.floor(totalmem() / MIB);
      if (most > has) {
        return warning(`services may take ${most} MiB, and the machine has ${has}`, TODO);
      }
      return fine(
        `services may take ${most} of ${has} MiB; ${Math.floor(freemem() / MIB)} are unused`,
      );
    },
  };
}
