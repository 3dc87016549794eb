import { join, dirname } from 'node:path';
import { equalBytes } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { oneAtATime } from '../base/in-turn.ts';
import type { Logger } from '../base/log.ts';
import { readIfPresent, removeIfPresent, writeDurably } from '../io/durable-file.ts';
import { verifyConsensus } from './accept-consensus.ts';
import {
  askForConsensus,
  type Chain,
  checkNoFork,
  type VerifiedConsensus,
} from './ask-for-consensus.ts';
import { askSources } from './ask-sources.ts';
import type { Consensus } from './consensus.ts';
import { checkCosigned } from './cosigned-log.ts';
import { DirectoryError } from './directory-error.ts';
import type { DirectorySource } from './directory-source.ts';
import type { Equivocation } from './equivocation.ts';
import type { EvidenceFiles } from './evidence-files.ts';
import { ForkError } from './fork-error.ts';
import type { Policy } from './policy.ts';
import {
  parseWitnessRecord,
  renderWitnessRecord,
  type WitnessRecord,
  witnessRecordOf,
} from './witness-record.ts';

export type { VerifiedConsensus } from './ask-for-consensus.ts';
export type { DirectorySource } from './directory-source.ts';

export interface DirectoryClientOptions {
  /**
   * Keeps the newest note that was accepted, so that no restart can be used to roll it back; `witnesses`
   * beside it says who must have seen it.
   */
  readonly path: string;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly log: Logger;
  /** Takes two consensuses of one epoch. */
  readonly evidence: Pick<EvidenceFiles, 'fork' | 'keep' | 'save'>;
  /**
   * Told of what is accepted, with all that was fetched on the way to it, oldest first, before it is
   * kept: again after a crash in between.
   */
  readonly onAccepted?: (chain: readonly VerifiedConsensus[]) => Promise<void>;
  /** Until another source is asked beside one that has not answered. */
  readonly patienceMs?: number;
}

export interface DirectoryClient {
  /**
   * The newest consensus, while it is valid: what to use, online or not. None while there is evidence
   * that a quorum has signed two of one epoch: this could be the wrong one.
   */
  current(): Consensus | undefined;
  /**
   * The newest that was accepted, even one that has expired: for choosing whom to ask for a newer one. None
   * while there is evidence as above.
   */
  held(): Consensus | undefined;
  /** Whether the authorities should have made a newer one by now. */
  isStale(): boolean;
  /**
   * Asks two sources side by side, not of one family, and others for those that fail or are slow, until two
   * have answered with what can be accepted, or one has and the others had their time; keeps the newest.
   * @throws DirectoryError `forked` when a quorum has signed two of one epoch, which are kept as evidence;
   * `unavailable` when there is no valid consensus after that; its cause says what each source did.
   */
  refresh(sources: readonly DirectorySource[], signal: AbortSignal): Promise<Consensus>;
}

/** A single relay could hold back the newest consensus, or show one to this client alone. */
const ANSWERS_WANTED = 2;

/** A first onion connection can take most of 90 s. Who has all to fetch, or a long chain, needs more, and gets it. */
const PATIENCE_MS = 120_000;

/**
 * Opens the durable copy. One that does not verify under the policy is passed over: another policy
 * means other authorities, whose chain starts anew.
 */
export async function openDirectoryClient(
  options: DirectoryClientOptions,
): Promise<DirectoryClient> {
  const { path, policy, clock, log, evidence, onAccepted, patienceMs = PATIENCE_MS } = options;
  const witnessPath = join(dirname(path), 'witnesses');
  let held = await readHeld(options);
  let record = held && (await readRecord(witnessPath, log));

  const unforked = (): Consensus | undefined =>
    evidence.fork === undefined ? held?.consensus : undefined;
  const current = (): Consensus | undefined => {
    const consensus = unforked();
    return consensus !== undefined && clock() < consensus.validUntil * 1000 ? consensus : undefined;
  };

  const keep = async (chain: Chain): Promise<void> => {
    const newest = newestOf(chain);
    // A refresh beside this one may have been faster.
    if (held !== undefined) checkNoFork([held, newest]);
    if (held !== undefined && held.consensus.epoch >= newest.consensus.epoch) return;
    await onAccepted?.(chain);
    if (held !== undefined && isAfter(chain, held)) {
      await writeDurably(path, newest.note);
      // After it: a crash in between leaves older witnesses, and never those that the newest one was in a place to choose.
      record = witnessRecordOf(held.consensus);
      await writeDurably(witnessPath, renderWitnessRecord(record));
    } else {
      // Before it: nobody would cosign for the witnesses of another chain, or of long ago.
      record = undefined;
      await removeIfPresent(witnessPath);
      await writeDurably(path, newest.note);
    }
    held = newest;
    const { epoch, nodes } = newest.consensus;
    log.info('a new consensus', { epoch, nodes: nodes.length });
  };

  const ask = async (source: DirectorySource, signal: AbortSignal): Promise<Chain> => {
    const chain = await askForConsensus(source, { policy, clock, log, held, signal });
    // Of one that comes after a long time the witnesses may be others, and nobody knows which.
    if (record !== undefined && held !== undefined && isAfter(chain, held)) {
      const consensuses = chain.map(({ consensus }) => consensus);
      await checkCosigned(consensuses, { record, source, log, signal });
    }
    return chain;
  };

  /** Those that can be accepted, of as many sources as are wanted, or of fewer when there are no more. */
  const gather = (
    sources: readonly DirectorySource[],
    { signal, errors }: { readonly signal: AbortSignal; readonly errors: unknown[] },
  ): Promise<readonly Chain[]> =>
    askSources(sources, {
      wanted: ANSWERS_WANTED,
      patienceMs,
      ask,
      onFailure: (source, error) => {
        if (error instanceof ForkError) throw error;
        errors.push(error);
        const reason = messageOf(error);
        log.warn('no consensus from a relay', { relay: source.name, reason });
      },
      signal,
    });

  /** The fork stops the client all the same, until a restart at least. */
  const complain = (error: unknown): void => {
    log.error('evidence of two consensuses cannot be written', { reason: messageOf(error) });
  };
  const testify = async (fork: ForkError): Promise<void> => {
    try {
      const { epoch, convicted } = await evidence.keep(fork.notes);
      const names = convicted.map(({ name }) => name).join(', ');
      log.error('two consensuses of one epoch are signed', { epoch, convicted: names });
    } catch (error) {
      // One that lies between may have been signed by authorities of an older policy, or not at all.
      if (error instanceof DirectoryError) {
        log.error('there are two consensuses of one epoch', { convicted: 'nobody of the policy' });
      } else complain(error);
    }
  };

  const inTurn = oneAtATime();
  const refresh = async (
    sources: readonly DirectorySource[],
    signal: AbortSignal,
  ): Promise<Consensus> => {
    if (evidence.fork !== undefined) {
      await evidence.save().catch(complain);
      throw forkedBefore(evidence.fork);
    }
    const errors: unknown[] = [];
    try {
      const chains = await gather(sources, { signal, errors });
      checkNoFork(chains.flat());
      const [newest] = [...chains].sort((one, other) => epochOf(other) - epochOf(one));
      if (newest !== undefined) await inTurn(() => keep(newest));
    } catch (error) {
      if (error instanceof ForkError) await testify(error);
      throw error;
    }
    const consensus = current();
    if (consensus !== undefined) return consensus;
    throw unavailable(held?.consensus, new AggregateError(errors));
  };

  return {
    current,
    held: unforked,
    isStale: () => held === undefined || clock() >= held.consensus.freshUntil * 1000,
    refresh,
  };
}

function unavailable(held: Consensus | undefined, cause: AggregateError): DirectoryError {
  const message =
    held === undefined
      ? cause.errors.length === 0
        ? 'there is nobody to ask for a consensus: the policy names no relay'
        : 'no relay gave a valid consensus'
      : `the consensus of epoch ${held.epoch} was valid until ${timeOf(held.validUntil)}, and ${whyNone(cause)}`;
  return new DirectoryError('unavailable', message, { cause });
}

function whyNone({ errors }: AggregateError): string {
  const isPassedBy = errors.some(
    (error) => error instanceof DirectoryError && error.code === 'forked',
  );
  return isPassedBy
    ? 'those that relays give do not come after it: docs/verifying.md tells what that means, and what to do'
    : 'no relay gave a newer one';
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** Whether the chain begins right after it. */
function isAfter([next]: Chain, held: VerifiedConsensus): boolean {
  return equalBytes(next.consensus.prev, held.consensus.hash);
}

function newestOf(chain: Chain): VerifiedConsensus {
  return chain.at(-1) ?? chain[0];
}

function epochOf(chain: Chain): number {
  return newestOf(chain).consensus.epoch;
}

function forkedBefore({ epoch, convicted }: Equivocation): DirectoryError {
  const names = convicted.map(({ name }) => name).join(', ');
  const message = `there are two signed consensuses of epoch ${epoch}: a policy without ${names} is needed`;
  return new DirectoryError('forked', message);
}

async function readHeld({
  path,
  policy,
  log,
}: DirectoryClientOptions): Promise<VerifiedConsensus | undefined> {
  const note = await readIfPresent(path);
  if (note === undefined) return undefined;
  try {
    return { consensus: verifyConsensus(note, policy), note };
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    log.warn('the consensus kept is not of this policy', { reason: error.code });
    return undefined;
  }
}

/** A record that is damaged is removed: the next consensus is then taken as one after a long time is. */
async function readRecord(path: string, log: Logger): Promise<WitnessRecord | undefined> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) return undefined;
  try {
    return parseWitnessRecord(bytes);
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    log.warn('the record of witnesses is damaged: it is removed', { reason: error.code });
    await removeIfPresent(path);
    return undefined;
  }
}
