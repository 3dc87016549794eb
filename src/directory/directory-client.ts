import { equalBytes, utf8 } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { oneAtATime } from '../base/in-turn.ts';
import type { Logger } from '../base/log.ts';
import { readIfPresent, writeDurably } from '../io/durable-file.ts';
import {
  acceptConsensus,
  checkFollows,
  openPrevious,
  verifyConsensus,
} from './accept-consensus.ts';
import { applyChange } from './consensus-change.ts';
import type { Consensus } from './consensus.ts';
import { DIRECTORY_KINDS, type DirectoryKind } from './directory-view.ts';
import { DirectoryError } from './directory-error.ts';
import { MAX_CHAIN } from './limits.ts';
import type { Policy } from './policy.ts';

/** A relay that can be asked for directory documents. */
export interface DirectorySource {
  /** For logs and errors. */
  readonly name: string;
  /** The document, or no bytes when the source does not hold it. `digest` has 32 bytes. */
  fetch(kind: DirectoryKind, digest: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
}

/** A consensus that was verified, and the note that it came in. */
export interface VerifiedConsensus {
  readonly consensus: Consensus;
  readonly note: Uint8Array;
}

export interface DirectoryClientOptions {
  /** Keeps the newest note that was accepted, so that no restart can be used to roll it back. */
  readonly path: string;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * Told of what is accepted, with all that was fetched on the way to it, oldest first, before it is
   * kept: again after a crash in between.
   */
  readonly onAccepted?: (chain: readonly VerifiedConsensus[]) => Promise<void>;
}

export interface DirectoryClient {
  /** The newest consensus, while it is valid: what to use, online or not. */
  current(): Consensus | undefined;
  /** Whether the authorities should have made a newer one by now. */
  isStale(): boolean;
  /**
   * Asks two sources side by side, and others for those that fail, until two have answered with
   * what can be accepted; keeps the newest.
   * @throws DirectoryError `unavailable` when there is no valid consensus after that; its cause says
   * what each source did.
   */
  refresh(sources: readonly DirectorySource[], signal: AbortSignal): Promise<Consensus>;
}

/** A single relay could hold back the newest consensus, so that two are asked. */
const ANSWERS_WANTED = 2;
const NO_DIGEST = new Uint8Array(32);

/**
 * Opens the durable copy. One that does not verify under the policy is passed over: another policy
 * means other authorities, whose chain starts anew.
 */
export async function openDirectoryClient(
  options: DirectoryClientOptions,
): Promise<DirectoryClient> {
  const { path, policy, clock, log, onAccepted } = options;
  let held = await readHeld(options);
  const current = (): Consensus | undefined =>
    held !== undefined && clock() < held.validUntil * 1000 ? held : undefined;

  const keep = async (
    newest: VerifiedConsensus,
    between: readonly VerifiedConsensus[],
  ): Promise<void> => {
    const { consensus, note } = newest;
    if (held !== undefined && equalBytes(held.hash, consensus.hash)) return;
    await onAccepted?.([...between, newest]);
    await writeDurably(path, note);
    held = consensus;
    log.info('a new consensus', { epoch: consensus.epoch, nodes: consensus.nodes.length });
  };

  /** One note is weighed at a time: each against what the one before it left. */
  const inTurn = oneAtATime();

  const ask = async (source: DirectorySource, signal: AbortSignal): Promise<void> => {
    if (held !== undefined && (await askForChange(held, source, signal))) return;
    const note = await source.fetch(DIRECTORY_KINDS.latestConsensus, NO_DIGEST, signal);
    await inTurn(() => weigh(note, source, signal));
  };

  /** False when the source has none that leads to a consensus which can be accepted. */
  const askForChange = async (
    from: Consensus,
    source: DirectorySource,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const change = await source.fetch(DIRECTORY_KINDS.change, from.hash, signal);
    if (change.length === 0) return false;
    try {
      const note = utf8(applyChange(from, change));
      await inTurn(() => weigh(note, source, signal));
      return true;
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      log.debug('a change cannot be used', { relay: source.name, reason: error.code });
      return false;
    }
  };

  const weigh = async (
    note: Uint8Array,
    source: DirectorySource,
    signal: AbortSignal,
  ): Promise<void> => {
    const newest = { consensus: acceptConsensus({ note, policy, now: clock() }), note };
    const fetchPrevious = async (hash: Uint8Array): Promise<VerifiedConsensus> => {
      const before = await source.fetch(DIRECTORY_KINDS.consensus, hash, signal);
      return { consensus: openPrevious(before, { hash, policy }), note: before };
    };
    const between = held === undefined ? [] : await walkBack(newest, held, fetchPrevious);
    await keep(newest, between);
  };

  return {
    current,
    isStale: () => held === undefined || clock() >= held.freshUntil * 1000,
    async refresh(sources, signal) {
      const errors: unknown[] = [];
      // Shared: whoever needs another source takes the next. An array's iterator outlives a return.
      const left = sources.values();
      const oneAnswer = async (): Promise<void> => {
        for (const source of left) {
          signal.throwIfAborted();
          try {
            await ask(source, signal);
            return;
          } catch (error) {
            signal.throwIfAborted();
            errors.push(error);
            const reason = messageOf(error);
            log.warn('no consensus from a relay', { relay: source.name, reason });
          }
        }
      };
      await Promise.all(Array.from({ length: ANSWERS_WANTED }, oneAnswer));
      const consensus = current();
      if (consensus !== undefined) return consensus;
      const cause = new AggregateError(errors);
      throw new DirectoryError('unavailable', 'no relay gave a valid consensus', { cause });
    },
  };
}

/**
 * What lies between the one held and the newest, oldest first.
 * @throws DirectoryError unless the chain of `prev` leads from the newest to the one held.
 */
async function walkBack(
  newest: VerifiedConsensus,
  held: Consensus,
  fetchPrevious: (hash: Uint8Array) => Promise<VerifiedConsensus>,
): Promise<readonly VerifiedConsensus[]> {
  const between: VerifiedConsensus[] = [];
  for (let oldest = newest.consensus; !follows(oldest, held);) {
    if (between.length === MAX_CHAIN) {
      throw new DirectoryError('gap', 'too many consensuses are missing');
    }
    const before = await fetchPrevious(oldest.prev);
    checkFollows(oldest, before.consensus);
    if (before.consensus.epoch <= held.epoch) {
      throw new DirectoryError('forked', 'its chain passes by the consensus held');
    }
    between.unshift(before);
    oldest = before.consensus;
  }
  return between;
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

async function readHeld({
  path,
  policy,
  log,
}: DirectoryClientOptions): Promise<Consensus | undefined> {
  const note = await readIfPresent(path);
  if (note === undefined) return undefined;
  try {
    return verifyConsensus(note, policy);
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    log.warn('the consensus kept is not of this policy', { reason: error.code });
    return undefined;
  }
}
