import { type Logger } from '../base/log.ts';
import { messageOf } from '../base/errors.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { type NodeId } from '../directory/node-id.ts';
import { type Query } from '../query/query.ts';
import { attempt, type AttemptContext, type SignedAnswer } from './attempt.ts';
import { AttemptError } from './attempt-error.ts';
import { type BondChecks, type Checking, isNoFaultOfRelay } from './bond-checks.ts';
import { type ConsensusSource, currentConsensus } from './consensus-source.ts';
import { LookupError, type LookupErrorCode, NOBODY } from './fault.ts';
import { type Purpose } from './relay-pool.ts';
import { blameRelay, type FailedAttempt, verdictOn } from './verdict.ts';

/** Whom to ask, and by which ways. Read again when the consensus changes. */
export interface Aim {
  readonly purpose: Purpose;
  /** Relays in the order to try them. Rejects with `LookupError` when there is no way. */
  readonly ways: (consensus: Consensus) => Promise<Ways>;
}

export interface Ways {
  readonly gateway: ConsensusNode;
  readonly relays: readonly ConsensusNode[];
}

export interface AskerOptions extends AttemptContext {
  readonly consensus: ConsensusSource;
  readonly bonds: Pick<BondChecks, 'mayUse'>;
  readonly log: Logger;
  /** Told of each failure that another relay made up for. */
  readonly onFault: (fault: LookupError) => void;
}

/** A reply with code OK, and who brought it. */
export interface Answered extends SignedAnswer {
  readonly relay: NodeId;
}

/** Failures that a newer consensus may mend. */
const OF_THE_DIRECTORY: readonly LookupErrorCode[] = [
  'key-unknown',
  'directory-mismatch',
  'relay-does-not-list',
];
/** What a gateway says when it has too much to do, perhaps of one relay only. */
const OF_LOAD: readonly LookupErrorCode[] = ['busy', 'overload'];
/** A relay that failed is asked after the others for so long. */
const SHUN_MS = 600_000;

/** Puts questions to gateways by the rules of spec/relay.md section 8.3. */
export class Asker {
  readonly #options: AskerOptions;
  readonly #shunnedUntil = new Map<NodeId, number>();

  constructor(options: AskerOptions) {
    this.#options = options;
  }

  /**
   * Asks the gateway through one relay after the other until one brings an answer; never another
   * gateway. The consensus is fetched once more when a node goes by another.
   * @throws LookupError with the node at fault.
   */
  async ask(query: Query, aim: Aim, signal: AbortSignal): Promise<Answered> {
    const failed: FailedAttempt[] = [];
    let refreshed = false;
    for (;;) {
      const consensus = currentConsensus(this.#options.consensus);
      const { gateway, relays } = await aim.ways(consensus);
      const relay = this.#next(relays, failed);
      if (relay === undefined) throw verdictOn(failed);
      try {
        if (!(await this.#mayUse(relay, { consensus, purpose: aim.purpose, signal }))) continue;
        const route = { consensus, relay, gateway, purpose: aim.purpose };
        const answer = await attempt(query, route, { ...this.#options, signal });
        refuse(answer, gateway.nodeId);
        for (const one of failed) this.#settle(one);
        return { ...answer, relay: relay.nodeId };
      } catch (error) {
        if (!(error instanceof AttemptError)) throw error;
        if (!refreshed && OF_THE_DIRECTORY.includes(error.code)) {
          refreshed = true;
          await this.#refresh(signal);
          continue;
        }
        const one = { relay: relay.nodeId, gateway: gateway.nodeId, error };
        failed.push(one);
        if (error.suspect === 'gateway' && !OF_LOAD.includes(error.code)) throw verdictOn(failed);
        if (error.suspect === 'relay') this.#blame(one);
      }
    }
  }

  async #mayUse(relay: ConsensusNode, checking: Checking): Promise<boolean> {
    try {
      return await this.#options.bonds.mayUse(relay, checking);
    } catch (cause) {
      checking.signal.throwIfAborted();
      if (isNoFaultOfRelay(cause)) throw cause;
      throw new AttemptError('relay-unreachable', { suspect: 'relay', cause });
    }
  }

  #next(
    relays: readonly ConsensusNode[],
    failed: readonly FailedAttempt[],
  ): ConsensusNode | undefined {
    const now = this.#options.clock();
    const left = relays.filter(({ nodeId }) => !failed.some(({ relay }) => relay === nodeId));
    return left.find(({ nodeId }) => (this.#shunnedUntil.get(nodeId) ?? 0) <= now) ?? left[0];
  }

  /** After another relay brought the answer. */
  #settle(one: FailedAttempt): void {
    if (one.error.suspect === 'either') this.#blame(one);
    if (one.error.suspect === 'gateway') this.#options.onFault(verdictOn([one]));
  }

  #blame(one: FailedAttempt): void {
    this.#shunnedUntil.set(one.relay, this.#options.clock() + SHUN_MS);
    this.#options.onFault(blameRelay(one));
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    try {
      await this.#options.consensus.refresh({ signal });
    } catch (error) {
      signal.throwIfAborted();
      this.#options.log.warn('no newer consensus could be had', { reason: messageOf(error) });
    }
  }
}

/** @throws AttemptError when another try may help, else LookupError; nothing when the code is OK. */
export function refuse({ reply: { code }, evidence }: SignedAnswer, gateway: NodeId): void {
  const atGateway = {
    culprit: { role: 'gateway', nodeId: gateway },
    evidence: [evidence],
  } as const;
  const nobody = { culprit: NOBODY, evidence: [evidence] };
  switch (code) {
    case 'OK':
      return;
    case 'BUSY':
      throw new AttemptError('busy', { suspect: 'gateway', evidence });
    case 'DIRECTORY_MISMATCH':
      throw new AttemptError('directory-mismatch', { suspect: 'gateway', evidence });
    case 'BAD_REQUEST':
      throw new LookupError(
        'bad-request',
        `Gateway ${gateway} refuses a valid question.`,
        atGateway,
      );
    case 'UNSUPPORTED':
      throw new LookupError('unsupported', `Gateway ${gateway} cannot answer this.`, atGateway);
    case 'NOT_SYNCED':
      throw new LookupError('not-synced', `Gateway ${gateway} is behind the chain.`, atGateway);
    case 'CURSOR_STALE':
      throw new LookupError(
        'cursor-stale',
        `The history changed while gateway ${gateway} sent it.`,
        nobody,
      );
    case 'HISTORY_TOO_LONG':
      throw new LookupError(
        'history-too-long',
        `Gateway ${gateway} says that the history is too long to send.`,
        nobody,
      );
    case 'TX_REJECTED':
      throw new LookupError(
        'transaction-rejected',
        `Gateway ${gateway} says that the transaction was rejected.`,
        nobody,
      );
    case 'TIME_SKEW':
      throw new LookupError(
        'time-skew',
        `The clocks of this machine and of gateway ${gateway} differ by over 10 minutes.`,
        nobody,
      );
    case 'NOT_FOUND':
      throw new LookupError(
        'not-found',
        `Gateway ${gateway} says that there is no such transaction.`,
        nobody,
      );
    case 'TOKEN_NEEDED':
      throw new LookupError('token-needed', `Gateway ${gateway} asks for a token.`, nobody);
  }
}
