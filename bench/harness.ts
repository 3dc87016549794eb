/** One thing to measure. */
export interface Case {
  readonly name: string;
  readonly run: () => unknown;
}

export interface MeasureOptions {
  readonly rounds?: number;
  /** How long each case runs in each round. */
  readonly roundMs?: number;
}

/** Medians over the rounds, of one run of a case. */
export interface Measured {
  readonly name: string;
  /** Microseconds of processor time, of all threads together: it does not see who else is busy. */
  readonly cpuUs: number;
  /** Microseconds on the clock. */
  readonly wallUs: number;
}

/** A table for the reader, the same figures for programs. */
export interface Report {
  readonly title: string;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}

/** What a file `bench/<name>.bench.ts` exports. */
export interface Bench {
  readonly bench: () => Promise<readonly Report[]>;
}

/**
 * Runs the cases in turns, round after round, so that what else happens on the machine meets all of
 * them: only figures of one call can be compared. The first round warms up and does not count.
 */
export async function measureSideBySide(
  cases: readonly Case[],
  { rounds = 9, roundMs = 100 }: MeasureOptions = {},
): Promise<readonly Measured[]> {
  const samples = cases.map(({ name }) => ({ name, cpu: [] as number[], wall: [] as number[] }));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, { run }] of cases.entries()) {
      const { cpuUs, wallUs } = await measureOnce(run, roundMs);
      if (round === 0) continue;
      samples[index]?.cpu.push(cpuUs);
      samples[index]?.wall.push(wallUs);
    }
  }
  return samples.map(({ name, cpu, wall }) => ({
    name,
    cpuUs: medianOf(cpu),
    wallUs: medianOf(wall),
  }));
}

async function measureOnce(
  run: Case['run'],
  roundMs: number,
): Promise<{ cpuUs: number; wallUs: number }> {
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  let runs = 0;
  do {
    const result = run();
    if (result instanceof Promise) await result;
    runs += 1;
  } while (performance.now() - started < roundMs);
  const wallUs = ((performance.now() - started) * 1000) / runs;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { cpuUs: (user + system) / runs, wallUs };
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Two digits after the point. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The rows under each other, texts to the left and numbers to the right. */
export function formatReport({ title, rows }: Report): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const widths = columns.map((column) =>
    Math.max(column.length, ...rows.map((row) => String(row[column] ?? '').length)),
  );
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, index) =>
        typeof cell === 'number'
          ? String(cell).padStart(widths[index] ?? 0)
          : cell.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const body = rows.map((row) => line(columns.map((column) => row[column] ?? '')));
  return [title, line(columns), ...body, ''].join('\n');
}
