import type { StackConfig } from '../../config/stack-config.ts';
import { diskOf } from '../../io/disk.ts';
import { usedMegabytes } from '../../io/disk-usage.ts';
import { targetFor } from '../disk-needs.ts';
import { estimateSync, type SyncEstimate } from '../sync-estimate.ts';
import { type Choices, configFrom } from './choices.ts';

const GB = 1e9;
const MB_PER_GB = 1000;

/**
 * The configuration that follows from the choices. When nobody chose the target, it is the one that
 * there is room for.
 * @throws UserError naming all that will not do.
 */
export async function decide(choices: Choices, home: string): Promise<StackConfig> {
  const { network = 'mainnet', target } = choices;
  if (target !== undefined) return configFrom({ ...choices, network });
  const chosen = configFrom({ ...choices, network });
  // Its own chain is all that devnet can serve.
  if (chosen.bitcoinData !== undefined && chosen.network === 'regtest') return chosen;
  const { freeBytes } = await diskOf(chosen.storage ?? home);
  const room = freeBytes / GB + (await presentGigabytes(chosen));
  return configFrom({ ...choices, network, target: targetFor(chosen.network, room) });
}

export async function expectSync(config: StackConfig): Promise<SyncEstimate> {
  return estimateSync(config, await presentGigabytes(config));
}

async function presentGigabytes({ bitcoinData }: StackConfig): Promise<number> {
  return bitcoinData === undefined ? 0 : (await usedMegabytes(bitcoinData)) / MB_PER_GB;
}
