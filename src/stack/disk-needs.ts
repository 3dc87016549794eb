import type { Network } from '../bitcoin/networks.ts';
import type { TargetKind } from '../config/stack-config.ts';

/** What one part of a server takes on the disk, in GB of 10^9 bytes. */
export interface DiskNeed {
  readonly service: 'bitcoind' | 'target';
  readonly what: 'blocks' | 'unspent outputs' | 'transaction index' | 'address index';
  /** As it was when it was measured, or estimated. */
  readonly now: number;
  /** With a year to grow. */
  readonly advised: number;
  readonly isEstimate: boolean;
}

/**
 * Measured on mainnet in the middle of 2026 at about 950,000 blocks: blocks and unspent outputs
 * (Bitcoin Core 31), transaction index 66 GiB (ElectrumX's change log), Fulcrum 133 GB in 2023 and
 * 180 GB to ask for (its README; its package for StartOS), electrs 56 GB in the end and 120 GB while
 * it sorts (electrs 0.12). The growth of a year, and all other networks, are estimates.
 */
export function diskNeeds(network: Network, target: TargetKind): readonly DiskNeed[] {
  const isMeasured = network === 'mainnet';
  const [blocks, outputs, transactions, fulcrum, electrs] = SIZES[network];
  const need = (
    part: Pick<DiskNeed, 'service' | 'what'>,
    [now, advised]: readonly [number, number],
  ): DiskNeed => ({ ...part, now, advised, isEstimate: !isMeasured });
  if (target === 'devnet') {
    return [need({ service: 'target', what: 'blocks' }, [0.1, 0.1])];
  }
  return [
    need({ service: 'bitcoind', what: 'blocks' }, blocks),
    need({ service: 'bitcoind', what: 'unspent outputs' }, outputs),
    ...(target === 'fulcrum'
      ? [need({ service: 'bitcoind', what: 'transaction index' }, transactions)]
      : []),
    need({ service: 'target', what: 'address index' }, target === 'fulcrum' ? fulcrum : electrs),
  ];
}

type Size = readonly [now: number, advised: number];

/** Blocks, unspent outputs, transaction index, Fulcrum, electrs while it builds. */
const SIZES: Readonly<Record<Network, readonly [Size, Size, Size, Size, Size]>> = {
  mainnet: [
    [802, 900],
    [12, 15],
    [71, 80],
    [133, 180],
    [120, 120],
  ],
  testnet4: [
    [30, 60],
    [3, 5],
    [3, 6],
    [8, 15],
    [6, 12],
  ],
  signet: [
    [30, 60],
    [3, 5],
    [3, 6],
    [8, 15],
    [6, 12],
  ],
  regtest: [
    [0.5, 1],
    [0.1, 0.1],
    [0.1, 0.1],
    [0.5, 1],
    [0.2, 0.5],
  ],
};

export function sumOf(needs: readonly DiskNeed[], amount: 'now' | 'advised'): number {
  return needs.reduce((sum, need) => sum + need[amount], 0);
}

/** The Electrum server that there is room for: Fulcrum, else the one that needs less. */
export function targetFor(network: Network, freeGigabytes: number): TargetKind {
  if (network === 'regtest') return 'devnet';
  return freeGigabytes >= sumOf(diskNeeds(network, 'fulcrum'), 'now') ? 'fulcrum' : 'electrs';
}
