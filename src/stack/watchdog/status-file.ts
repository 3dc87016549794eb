import { join } from 'node:path';
import { z } from 'zod';
import { fromUtf8 } from '../../base/bytes.ts';
import { readIfPresent, writeDurably } from '../../io/durable-file.ts';
import type { Watch } from './ladder.ts';

const statusSchema = z.strictObject({
  /** `given-up`: nothing more is tried until tor gets further by itself. */
  kind: z.enum(['well', 'cut-off', 'absent', 'given-up']),
  /** Since when tor is not well; absent when it is. */
  since: z.iso.datetime().exactOptional(),
  percent: z.int().min(0).max(100),
  /** How often new guards were tried since it last got further. */
  tried: z.int().min(0),
  /** Its state has been wiped since it was last well. */
  wiped: z.boolean(),
});

/** What the watchdog tells others, as it was at the last change. */
export type WatchdogStatus = z.output<typeof statusSchema>;

export async function writeWatchdogStatus(torDirectory: string, watch: Watch): Promise<void> {
  const { kind, since, percent, tried, wiped } = watch;
  const status: WatchdogStatus = {
    kind,
    ...(since !== undefined && { since: new Date(since).toISOString() }),
    percent,
    tried,
    wiped,
  };
  await writeDurably(statusFile(torDirectory), `${JSON.stringify(status)}\n`);
}

/** Undefined when there is none that can be read. */
export async function readWatchdogStatus(
  torDirectory: string,
): Promise<WatchdogStatus | undefined> {
  const bytes = await readIfPresent(statusFile(torDirectory));
  if (bytes === undefined) return undefined;
  try {
    return statusSchema.parse(JSON.parse(fromUtf8(bytes)));
  } catch {
    // Only what was wiped is forgotten with it.
    return undefined;
  }
}

function statusFile(torDirectory: string): string {
  return join(torDirectory, 'run', 'watchdog.json');
}
