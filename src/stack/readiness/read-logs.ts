import type { Trouble } from './observations.ts';

// Lines as Fulcrum 2.1, electrs 0.11 and bitcoind 31 write them.

export interface LogReading {
  readonly trouble?: Trouble;
  /** The last block of the index. */
  readonly height?: number;
  /** 0 to 1 of the blocks. */
  readonly part?: number;
  readonly waitsForBitcoind?: true;
}

type Reader = (match: RegExpExecArray) => LogReading;

const trouble = (kind: Trouble): Reader => {
  return () => ({ trouble: kind });
};

const READERS: readonly (readonly [RegExp, Reader])[] = [
  [
    /<Controller> Processed height: (\d+), (\d+(?:\.\d+)?)%/,
    ([, height, percent]) => ({ height: Number(height), part: Number(percent) / 100 }),
  ],
  [
    /<Controller> Block height (\d+), up-to-date/,
    ([, height]) => ({ height: Number(height), part: 1 }),
  ],
  [/indexing \d+ blocks: \[\d+\.\.(\d+)\]/, ([, height]) => ({ height: Number(height) })],
  [
    /bitcoind is still downloading headers|bitcoind is in IBD, cooldown|\(IBD\)/,
    () => ({ waitsForBitcoind: true }),
  ],
  [/No space left on device|Disk space is too low|Disk quota exceeded/, trouble('disk-full')],
  [/Wrong datadir for network|genesis hash has changed/, trouble('other-network')],
  [
    /\bCorruption: |Corrupted block database|atabase (has been|may be) corrupted|restart with -reindex/,
    trouble('corrupt'),
  ],
  // A start makes what was told before it old.
  [/ - starting up \.\.\.|Bitcoin Core version v|Starting electrs/, () => ({})],
];

/**
 * What the newest line that tells anything says.
 * @param lines of the log of one service, oldest first.
 */
export function readLog(lines: readonly string[]): LogReading {
  for (const line of lines.toReversed()) {
    for (const [pattern, read] of READERS) {
      const match = pattern.exec(line);
      if (match) return read(match);
    }
  }
  return {};
}
