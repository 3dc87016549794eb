import { join } from 'node:path';
import { fromUtf8 } from '../base/bytes.ts';
import type { StackConfig } from '../config/stack-config.ts';
import { readIfPresent, writeDurably } from '../io/durable-file.ts';
import type { Home } from './home.ts';

type Synced = Pick<StackConfig, 'network' | 'target'>;

/** Whether the chain of this network and the index of this target have once been complete. */
export async function isInitialSyncDone(home: Home, synced: Synced): Promise<boolean> {
  const held = await readIfPresent(markerOf(home));
  return held !== undefined && fromUtf8(held) === textOf(synced);
}

/** The next plan gives bitcoind the cache of everyday. */
export async function noteInitialSyncDone(home: Home, synced: Synced): Promise<void> {
  await writeDurably(markerOf(home), textOf(synced));
}

function markerOf(home: Home): string {
  return join(home.directory, 'initial-sync-done');
}

function textOf({ network, target }: Synced): string {
  return `${network} ${target}\n`;
}
