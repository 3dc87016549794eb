import type { Network } from '../bitcoin/networks.ts';
import type { TargetKind } from '../config/stack-config.ts';
import { diskNeeds } from './disk-needs.ts';

/** How long the first days are, honestly: nobody can know the circuits one will get. */
export interface SyncEstimate {
  /** From and to. Blocks come through Tor. */
  readonly downloadHours: readonly [number, number];
  readonly indexHours: readonly [number, number];
}

/** What bitcoind got through Tor from all its peers together, in MB/s: good circuits, poor ones. */
const RATES = [2, 0.5] as const;
const GIGABYTE = 1000;
const HOUR = 3600;

/** Hours on mainnet, on a fast machine and on a small board: reports from users of each. */
const MAINNET_INDEX = { fulcrum: [4, 120], electrs: [2, 18], devnet: [0, 0] } as const;

/** @param presentGigabytes blocks that need not be fetched. */
export function estimateSync(
  { network, target }: { readonly network: Network; readonly target: TargetKind },
  presentGigabytes: number,
): SyncEstimate {
  const blocks = (chain: Network): number =>
    diskNeeds(chain, target).find(({ what }) => what === 'blocks')?.now ?? 0;
  const missing = Math.max(blocks(network) - presentGigabytes, 0);
  const isLocal = network === 'regtest';
  const hours = (rate: number): number =>
    isLocal ? 0 : Math.ceil((missing * GIGABYTE) / rate / HOUR);
  const share = blocks(network) / blocks('mainnet');
  const [fast, slow] = MAINNET_INDEX[target];
  return {
    downloadHours: [hours(RATES[0]), hours(RATES[1])],
    indexHours: isLocal ? [0, 0] : [Math.ceil(fast * share), Math.ceil(slow * share)],
  };
}

/** In words; undefined when there is nothing to wait for. */
export function describeSync(estimate: SyncEstimate): string | undefined {
  const { downloadHours, indexHours } = estimate;
  if (downloadHours[1] === 0 && indexHours[1] === 0) return undefined;
  const [from, to] = [downloadHours[0] + indexHours[0], downloadHours[1] + indexHours[1]];
  return (
    `The first sync goes through Tor and takes about ${days(from)} to ${days(to)} ` +
    '(an estimate: circuits differ). It can be interrupted at any time.'
  );
}

function days(hours: number): string {
  if (hours < 36) return hours <= 1 ? 'an hour' : `${hours} hours`;
  return `${Math.round(hours / 24)} days`;
}
