import { renderCheckpoint } from './checkpoint.ts';
import { type Consensus, type LogHead } from './consensus.ts';
import { DirectoryError } from './directory-error.ts';
import { type DirectorySource } from './directory-source.ts';
import { DIRECTORY_KINDS, sizeDigest } from './directory-view.ts';
import { GatheredCosignatures } from './gathered-cosignatures.ts';
import { MAX_CHAIN } from './limits.ts';
import { type Policy } from './policy.ts';
import { takeCosignature } from './take-cosignature.ts';
import { witnessesOf } from './witnesses.ts';

export interface CheckpointsOptions {
  readonly policy: Policy;
  /** Of those that are kept. */
  readonly consensusOf: (hash: Uint8Array) => Consensus | undefined;
}

interface Gathering {
  readonly size: number;
  readonly gathered: GatheredCosignatures;
}

/** After two periods nobody cosigns a log any more. */
const GATHERED = 2;

/**
 * The checkpoints of the log that ends with the newest consensus, and of the one that ends with the
 * consensus before it, which is the one that clients ask for; and for clients that were away those of
 * before, as far as they were followed. In memory: who comes back has the newest two from the others.
 */
export class Checkpoints {
  readonly #options: CheckpointsOptions;
  /** The newest first. */
  #all: readonly Gathering[] = [];

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  /** `head` is that of the log that ends with the newest consensus, which names the one before. */
  follow(newest: Consensus, head: LogHead): void {
    const { consensusOf } = this.#options;
    const before = consensusOf(newest.prev);
    const first = before && consensusOf(before.prev);
    const last = newest.log === undefined ? [] : [this.#gatherFor(newest.log, first)];
    const two = [this.#gatherFor(head, before), ...last];
    const older = this.#all.filter(({ size }) => two.every((each) => size < each.size));
    this.#all = [...two, ...older].slice(0, MAX_CHAIN);
  }

  /** Of the newest log. */
  get newest(): GatheredCosignatures | undefined {
    return this.#all[0]?.gathered;
  }

  /** The checkpoint of this size with all signatures under it, or for 0 the newest. */
  noteOf(size: number): string | undefined {
    const found = size === 0 ? this.#all[0] : this.#all.find((each) => each.size === size);
    return found?.gathered.note;
  }

  /**
   * Takes a signature or cosignature of the newest log.
   * @throws DirectoryError as `takeCosignature`; `not-yet-valid` while there is no log.
   */
  take(bytes: Uint8Array): void {
    const newest = this.newest;
    if (newest === undefined) throw new DirectoryError('not-yet-valid', 'no log is known yet');
    takeCosignature(newest, bytes);
  }

  /**
   * Takes what a source has gathered of the newest two.
   * @throws DirectoryError as `take` of GatheredCosignatures.
   */
  async gatherFrom(source: DirectorySource, signal: AbortSignal): Promise<void> {
    // Asked for 0, a source shows the newest: nobody signs a log without an entry.
    const signed = this.#all.slice(0, GATHERED).filter(({ size }) => size > 0);
    for (const { size, gathered } of signed) {
      const note = await source.fetch(DIRECTORY_KINDS.checkpoint, sizeDigest(size), signal);
      if (note.length > 0) gathered.take(note);
    }
  }

  /** `before` names the witnesses: those who were there before the last entry of the log. */
  #gatherFor(head: LogHead, before: Consensus | undefined): Gathering {
    const text = renderCheckpoint(head);
    const held = this.#all.find(({ gathered }) => gathered.text === text);
    if (held !== undefined) return held;
    const authorities = this.#options.policy.authorities.map(({ verifier }) => verifier);
    const witnesses = before === undefined ? [] : witnessesOf(before);
    return {
      size: head.size,
      gathered: new GatheredCosignatures({ text, authorities, witnesses }),
    };
  }
}
