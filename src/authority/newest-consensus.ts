import { equalBytes } from '../base/bytes.ts';
import { oneAtATime } from '../base/in-turn.ts';
import { type Logger } from '../base/log.ts';
import { verifyConsensus } from '../directory/accept-consensus.ts';
import { type Consensus } from '../directory/consensus.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { type Policy } from '../directory/policy.ts';
import { type AuthorityStore } from './authority-store.ts';

/** A consensus and the note that it came in. */
export interface HeldConsensus {
  readonly consensus: Consensus;
  readonly note: Uint8Array;
}

export interface NewestConsensusOptions {
  readonly policy: Policy;
  readonly store: AuthorityStore;
  readonly log: Logger;
}

/**
 * The newest consensus that an authority knows of, in time or not: the next one follows it. An
 * authority that was away goes by signatures and epoch.
 */
export class NewestConsensus {
  readonly #options: NewestConsensusOptions;
  readonly #inTurn = oneAtATime();
  #held: HeldConsensus | undefined;

  private constructor(options: NewestConsensusOptions, held: HeldConsensus | undefined) {
    this.#options = options;
    this.#held = held;
  }

  /** @throws DirectoryError when the one on disk is not of this policy. */
  static async open(options: NewestConsensusOptions): Promise<NewestConsensus> {
    const note = await options.store.newestConsensus();
    const held = note && { note, consensus: verifyConsensus(note, options.policy) };
    return new NewestConsensus(options, held);
  }

  get held(): HeldConsensus | undefined {
    return this.#held;
  }

  get consensus(): Consensus | undefined {
    return this.#held?.consensus;
  }

  /**
   * Keeps a newer one. A second one of the same epoch is kept as evidence.
   * @param now milliseconds since the Unix epoch.
   * @throws DirectoryError as `verifyConsensus`, and `not-yet-valid`, `forked`.
   */
  async adopt(note: Uint8Array, now: number): Promise<void> {
    const consensus = verifyConsensus(note, this.#options.policy);
    if (now < consensus.validAfter * 1000) {
      throw new DirectoryError('not-yet-valid', 'not valid yet');
    }
    await this.#inTurn(() => this.#weigh({ consensus, note }));
  }

  async #weigh(offered: HeldConsensus): Promise<void> {
    const { store, log } = this.#options;
    const held = this.#held;
    const ahead = offered.consensus.epoch - (held?.consensus.epoch ?? -1);
    if (ahead > 0) {
      await store.keepConsensus(offered.note);
      this.#held = offered;
    } else if (held && ahead === 0 && !equalBytes(held.consensus.hash, offered.consensus.hash)) {
      log.error('a quorum signed two consensuses', { epoch: held.consensus.epoch });
      await store.keepEvidence([held.note, offered.note]);
      throw new DirectoryError('forked', 'another consensus of the same epoch');
    }
  }
}
