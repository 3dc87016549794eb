import { join } from 'node:path';
import { readIfPresent, writeDurably } from '../io/durable-file.ts';
import type { Home } from './home.ts';

/** Whether chain and index have once been complete. */
export async function isInitialSyncDone(home: Home): Promise<boolean> {
  return (await readIfPresent(markerOf(home))) !== undefined;
}

/** The next plan gives bitcoind the cache of everyday. */
export async function noteInitialSyncDone(home: Home): Promise<void> {
  await writeDurably(markerOf(home), '');
}

function markerOf(home: Home): string {
  return join(home.directory, 'initial-sync-done');
}
