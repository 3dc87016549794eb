import type { Disk } from '../../io/disk.ts';
import { diskOf } from '../../io/disk.ts';
import { usedMegabytes } from '../../io/disk-usage.ts';
import { diskNeeds } from '../disk-needs.ts';
import type { Check, Outcome } from '../finding.ts';
import { failure, fine, warning } from '../outcome.ts';
import { dataDirectoryOf } from '../plan-context.ts';
import type { Subject } from './subject.ts';

const GB = 1e9;
const MB_PER_GB = 1000;
/** Blocks and databases come in files of 2 to 128 MB. */
const FILES_NEEDED = 50_000;

interface Share {
  readonly disk: Disk;
  readonly paths: string[];
  now: number;
  advised: number;
}

/** Whether the chain and the index will fit where they go, and a year longer. */
export function diskCheck(subject: Subject): Check {
  return {
    id: 'disk',
    title: 'disk',
    run: async () => worst((await sharesOf(subject)).map((share) => judge(share, subject))),
  };
}

/** What goes onto each disk, less what is there already. */
async function sharesOf({ config, home }: Subject): Promise<readonly Share[]> {
  const shares = new Map<number, Share>();
  const needs = diskNeeds(config.network, config.target);
  for (const service of ['bitcoind', 'target'] as const) {
    const own = needs.filter((need) => need.service === service);
    if (own.length === 0) continue;
    const path = dataDirectoryOf({ config, home }, service);
    const disk = await diskOf(path);
    const share = shares.get(disk.device) ?? { disk, paths: [], now: 0, advised: 0 };
    shares.set(disk.device, share);
    const present = (await usedMegabytes(path)) / MB_PER_GB;
    share.paths.push(path);
    share.now += Math.max(own.reduce((sum, { now }) => sum + now, 0) - present, 0);
    share.advised += Math.max(own.reduce((sum, { advised }) => sum + advised, 0) - present, 0);
  }
  return [...shares.values()];
}

function judge({ disk, paths, now, advised }: Share, { config }: Subject): Outcome {
  const free = disk.freeBytes / GB;
  const where = paths.join(' and ');
  const about = config.network === 'mainnet' ? '' : 'about ';
  const found = `${gigabytes(free)} free for ${where}; ${about}${gigabytes(now)} needed`;
  if (free < now) return failure(found, smaller(config));
  if (disk.freeFiles !== undefined && disk.freeFiles < FILES_NEEDED) {
    return failure(
      `the disk of ${where} can hold ${disk.freeFiles} more files; ${FILES_NEEDED} are needed`,
      'Make its file system anew with more inodes, or take another disk.',
    );
  }
  if (free < advised) {
    return warning(
      `${found}, ${gigabytes(advised)} with a year to grow`,
      'Plan for a larger disk: 2 TB are good for years.',
    );
  }
  return fine(found);
}

function smaller({ network, target }: Subject['config']): string {
  const ways = ['Name a larger disk: --storage /mnt/disk/sotto'];
  if (network === 'mainnet' && target === 'fulcrum') ways.push('Take less: --target electrs');
  return `${ways.join('. ')}.`;
}

function gigabytes(amount: number): string {
  return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)} GB`;
}

function worst(outcomes: readonly Outcome[]): Outcome {
  const of = (verdict: Outcome['verdict']): Outcome | undefined =>
    outcomes.find((outcome) => outcome.verdict === verdict);
  return of('fail') ?? of('warn') ?? outcomes[0] ?? fine('nothing to keep');
}
