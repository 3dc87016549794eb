import { equalBytes, fromUtf8, utf8 } from '../base/bytes.ts';
import { type Clock } from '../base/clock.ts';
import { type Logger } from '../base/log.ts';
import { acceptConsensus, checkFollows, openPrevious } from './accept-consensus.ts';
import { applyChange } from './consensus-change.ts';
import { type Consensus } from './consensus.ts';
import { DirectoryError } from './directory-error.ts';
import { type DirectorySource } from './directory-source.ts';
import { DIRECTORY_KINDS, rangeDigest } from './directory-view.ts';
import { ForkError } from './fork-error.ts';
import { MAX_CHAIN } from './limits.ts';
import { checkLogProof, logsToProve } from './log-proof.ts';
import { type Policy } from './policy.ts';

/** A consensus that was verified, and the note that it came in. */
export interface VerifiedConsensus {
  readonly consensus: Consensus;
  readonly note: Uint8Array;
}

/** What lies between the consensus held and the newest of a source, and that; oldest first. */
export type Chain = readonly [VerifiedConsensus, ...VerifiedConsensus[]];

export interface AskOptions {
  readonly policy: Policy;
  readonly clock: Clock;
  readonly log: Logger;
  /** What it must follow. */
  readonly held: VerifiedConsensus | undefined;
  readonly signal: AbortSignal;
}

const NO_DIGEST = new Uint8Array(32);

/**
 * The newest consensus of a source, with all that section 6 of spec/directory.md asks of one source.
 * @throws ForkError when a quorum has signed another one of an epoch that is held; DirectoryError for all
 * else that is wrong.
 */
export async function askForConsensus(
  source: DirectorySource,
  options: AskOptions,
): Promise<Chain> {
  const { held, signal } = options;
  const changed = held && (await askForChange(held.consensus, source, options));
  if (changed !== undefined) return changed;
  const note = await source.fetch(DIRECTORY_KINDS.latestConsensus, NO_DIGEST, signal);
  return weigh(note, source, options);
}

/** Undefined when the source has none that leads to a consensus which can be accepted. */
async function askForChange(
  from: Consensus,
  source: DirectorySource,
  options: AskOptions,
): Promise<Chain | undefined> {
  const change = await source.fetch(DIRECTORY_KINDS.change, from.hash, options.signal);
  if (change.length === 0) return undefined;
  try {
    return await weigh(utf8(applyChange(from, change)), source, options);
  } catch (error) {
    if (!(error instanceof DirectoryError) || error instanceof ForkError) throw error;
    options.log.debug('a change cannot be used', { relay: source.name, reason: error.code });
    return undefined;
  }
}

async function weigh(
  note: Uint8Array,
  source: DirectorySource,
  options: AskOptions,
): Promise<Chain> {
  const { policy, clock, held } = options;
  const newest = { consensus: acceptConsensus({ note, policy, now: clock() }), note };
  if (held === undefined) return [newest];
  const chain = await walkBack({ newest, held }, source, options);
  // The log of the first is where witnesses are looked for: it must hold what they are to have seen.
  for (const { consensus } of new Set([chain[0], newest])) {
    await checkLog(held.consensus, consensus, { source, signal: options.signal });
  }
  return chain;
}

interface Ends {
  readonly newest: VerifiedConsensus;
  readonly held: VerifiedConsensus;
}

/**
 * From the one after that which is held to the newest.
 * @throws DirectoryError unless the chain of `prev` leads from the newest to the one held.
 */
async function walkBack(
  { newest, held }: Ends,
  source: DirectorySource,
  { policy, signal }: AskOptions,
): Promise<Chain> {
  let chain: Chain = [newest];
  checkNoFork([held, newest]);
  for (let [oldest] = chain; !follows(oldest.consensus, held.consensus); [oldest] = chain) {
    if (chain.length > MAX_CHAIN) {
      throw new DirectoryError('gap', 'too many consensuses are missing');
    }
    const { prev } = oldest.consensus;
    const note = await source.fetch(DIRECTORY_KINDS.consensus, prev, signal);
    const before = { consensus: openPrevious(note, { hash: prev, policy }), note };
    checkNoFork([held, before]);
    checkFollows(oldest.consensus, before.consensus);
    if (before.consensus.epoch <= held.consensus.epoch) {
      throw new DirectoryError('forked', 'its chain passes by the consensus held');
    }
    chain = [before, ...chain];
  }
  return chain;
}

/** False where only those in between can tell. */
function follows(consensus: Consensus, held: Consensus): boolean {
  try {
    checkFollows(consensus, held);
    return true;
  } catch (error) {
    if (error instanceof DirectoryError && error.code === 'gap') return false;
    throw error;
  }
}

/** @throws ForkError when there are two of one epoch. */
export function checkNoFork(all: readonly VerifiedConsensus[]): void {
  const byEpoch = new Map<number, VerifiedConsensus>();
  for (const each of all) {
    const { epoch, hash } = each.consensus;
    const other = byEpoch.get(epoch) ?? each;
    if (!equalBytes(other.consensus.hash, hash)) {
      throw new ForkError([fromUtf8(other.note), fromUtf8(each.note)]);
    }
    byEpoch.set(epoch, other);
  }
}

/** @throws DirectoryError `log-forked` */
async function checkLog(
  earlier: Consensus,
  later: Consensus,
  { source, signal }: { readonly source: DirectorySource; readonly signal: AbortSignal },
): Promise<void> {
  const heads = logsToProve(earlier, later);
  if (heads === undefined) return;
  const [from, to] = heads;
  const range = rangeDigest(from.size, to.size);
  checkLogProof(earlier, later, await source.fetch(DIRECTORY_KINDS.logProof, range, signal));
}
