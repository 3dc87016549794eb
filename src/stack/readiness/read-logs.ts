import type { IndexObservation, Trouble, TroubleKind } from './observations.ts';

// Lines as Fulcrum 2.1, electrs 0.11 and bitcoind 31 write them.

/** What the newest line that tells of the index says. The height is the last block indexed. */
interface IndexLine extends IndexObservation {
  /** 0 to 1, by blocks. */
  readonly part?: number;
}

const INDEX_LINES: readonly {
  readonly pattern: RegExp;
  readonly read: (height: number, percent: number) => IndexLine;
}[] = [
  {
    pattern: /<Controller> Processed height: (\d+), (\d+(?:\.\d+)?)%/,
    read: (height, percent) => ({ height, part: percent / 100, waitsForBitcoind: false }),
  },
  {
    pattern: /<Controller> Block height (\d+), up-to-date/,
    read: (height) => ({ height, part: 1, waitsForBitcoind: false }),
  },
  {
    pattern: /indexing \d+ blocks: \[\d+\.\.(\d+)\]/,
    read: (height) => ({ height, waitsForBitcoind: false }),
  },
  {
    pattern: /bitcoind is still downloading headers|bitcoind is in IBD, cooldown|\(IBD\)/,
    read: () => ({ waitsForBitcoind: true }),
  },
];

/** @param lines of the target's log, oldest first. */
export function readIndexLog(lines: readonly string[]): IndexLine | undefined {
  for (const line of lines.toReversed()) {
    for (const { pattern, read } of INDEX_LINES) {
      const match = pattern.exec(line);
      if (match) return read(Number(match[1]), Number(match[2]));
    }
  }
  return undefined;
}

const TROUBLES: readonly { readonly kind: TroubleKind; readonly pattern: RegExp }[] = [
  {
    kind: 'disk-full',
    pattern: /No space left on device|Disk space is too low|Disk quota exceeded/,
  },
  { kind: 'other-network', pattern: /Wrong datadir for network|genesis hash has changed/ },
  {
    kind: 'corrupt',
    pattern:
      /\bCorruption: |Corrupted block database|atabase (has been|may be) corrupted|restart with -reindex/,
  },
];

/** @param lines of the log of a service that does not come up, oldest first. */
export function readTrouble(lines: readonly string[]): Trouble | undefined {
  for (const line of lines.toReversed()) {
    const found = TROUBLES.find(({ pattern }) => pattern.test(line));
    if (found !== undefined) return { kind: found.kind, line };
  }
  return undefined;
}
