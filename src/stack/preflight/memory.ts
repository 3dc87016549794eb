import { totalmem } from 'node:os';
import type { Check, Outcome } from '../finding.ts';
import { failure, fine, warning } from '../outcome.ts';
import type { Subject } from './subject.ts';

const MIB = 1024 * 1024;
/** bitcoind and Fulcrum want a gigabyte each, and the system something. */
const NEEDED_MIB = { chain: 1800, devnet: 900 };
/** Below it the caches of the first days are small, and the days many. */
const ADVISED_MIB = 3800;

export function memoryCheck({ config }: Subject, machineMib = Math.floor(totalmem() / MIB)): Check {
  return {
    id: 'memory',
    title: 'memory',
    run: () => Promise.resolve(judge(config, machineMib)),
  };
}

function judge({ target, network, memoryMib }: Subject['config'], machineMib: number): Outcome {
  if (memoryMib !== undefined && memoryMib > machineMib) {
    return failure(
      `memory_mib is ${memoryMib}, and the machine has ${machineMib} MiB`,
      `Give less: --memory-mib ${Math.floor(machineMib * 0.75)}`,
    );
  }
  const needed = target === 'devnet' ? NEEDED_MIB.devnet : NEEDED_MIB.chain;
  const found = `${machineMib} MiB`;
  if (machineMib < needed) {
    return failure(
      `${found}; ${needed} MiB are needed`,
      'Take a machine with more memory: 4 GB will do, 8 GB are good.',
    );
  }
  if (network === 'mainnet' && machineMib < ADVISED_MIB) {
    return warning(
      `${found}: it works, slowly at first`,
      'With 4 GB or more the first sync is faster.',
    );
  }
  return fine(found);
}
