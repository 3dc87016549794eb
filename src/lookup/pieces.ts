export interface Pieces {
  /** The first index that is not held yet. */
  readonly from: number;
  readonly total: number;
  /** How much a piece is expected to hold. */
  readonly stride: number;
  /** Reads and keeps what is at an index and after it; resolves to how much that was: at least 1. */
  readonly read: (index: number) => Promise<number>;
}

interface Gap {
  readonly start: number;
  readonly end: number;
}

/** Reads all pieces together, and then what fell short of the stride. */
export async function readPieces({ from, total, stride, read }: Pieces): Promise<void> {
  let gaps: readonly Gap[] = cut({ start: from, end: total }, stride);
  while (gaps.length > 0) {
    const left = gaps.map(async ({ start, end }) => ({ start: start + (await read(start)), end }));
    gaps = (await Promise.all(left)).filter(({ start, end }) => start < end);
  }
}

function cut({ start, end }: Gap, stride: number): readonly Gap[] {
  return Array.from({ length: Math.ceil((end - start) / stride) }, (_, index) => ({
    start: start + index * stride,
    end: Math.min(start + (index + 1) * stride, end),
  }));
}
