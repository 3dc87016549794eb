import { setTimeout as sleep } from 'node:timers/promises';
import { equalBytes, toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { acceptConsensus, checkKeysKept, verifyConsensus } from '../directory/accept-consensus.ts';
import type { Consensus } from '../directory/consensus.ts';
import {
  DIRECTORY_KINDS,
  type DirectoryKind,
  type DirectoryView,
} from '../directory/directory-view.ts';
import { DirectoryError, type DirectoryErrorCode } from '../directory/directory-error.ts';
import { MAX_CHAIN } from '../directory/limits.ts';
import type { Policy } from '../directory/policy.ts';
import { readIfPresent, writeDurably } from '../io/durable-file.ts';
import type { NodeDirectory } from './node-directory.ts';

export interface ConsensusFileOptions {
  /** Written by others. */
  readonly path: string;
  /** Keeps the newest note that was accepted, so that no restart can be used to roll it back. */
  readonly keptPath: string;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly log: Logger;
}

const READ_INTERVAL_MS = 500;

/**
 * The directory of a node, as far as a file holds it and the policy covers it. The note is read
 * whenever the file changes. One that is refused changes nothing; one that comes too early is tried
 * again.
 */
export async function followConsensusFile(options: ConsensusFileOptions): Promise<NodeDirectory> {
  const stop = new AbortController();
  const directory = new HeldDirectory(options);
  await directory.open();
  await directory.read();
  const following = follow(directory, stop.signal);
  return {
    current: () => directory.current(),
    consensuses: () => directory.consensuses(),
    noteOf: (kind, digest) => directory.noteOf(kind, digest),
    addDescriptor: (digest, note) => {
      directory.descriptors.set(toHex(digest), note);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
    },
  };
}

async function follow(directory: HeldDirectory, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(READ_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    await directory.read();
  }
}

class HeldDirectory implements DirectoryView {
  readonly descriptors = new Map<string, Uint8Array>();
  readonly #options: ConsensusFileOptions;
  /** By hash of the text, oldest first. */
  readonly #notes = new Map<string, Uint8Array>();
  #latest: { readonly consensus: Consensus; readonly note: Uint8Array } | undefined;
  #before: Consensus | undefined;
  /** What need not be read again. */
  #seen: Uint8Array = new Uint8Array();
  #complaint = '';

  constructor(options: ConsensusFileOptions) {
    this.#options = options;
  }

  current(): Consensus | undefined {
    const consensus = this.#latest?.consensus;
    const isValid = consensus !== undefined && this.#options.clock() < consensus.validUntil * 1000;
    return isValid ? consensus : undefined;
  }

  consensuses(): readonly Consensus[] {
    return [this.current(), this.#before].filter((consensus) => consensus !== undefined);
  }

  noteOf(kind: DirectoryKind, digest: Uint8Array): Uint8Array | undefined {
    switch (kind) {
      case DIRECTORY_KINDS.latestConsensus:
        return this.current() && this.#latest?.note;
      case DIRECTORY_KINDS.consensus:
        return this.#notes.get(toHex(digest));
      case DIRECTORY_KINDS.descriptor:
        return this.descriptors.get(toHex(digest));
      default:
        return undefined;
    }
  }

  /** One that does not verify under the policy is passed over: other authorities, another chain. */
  async open(): Promise<void> {
    const { keptPath, policy, log } = this.#options;
    const note = await readIfPresent(keptPath);
    if (note === undefined) return;
    try {
      this.#hold(verifyConsensus(note, policy), note);
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      log.warn('the consensus kept is not of this policy', { reason: error.code });
    }
  }

  async read(): Promise<void> {
    const { path, keptPath, log } = this.#options;
    try {
      const note = await readIfPresent(path);
      if (note === undefined || equalBytes(note, this.#seen)) return;
      const consensus = this.#accept(note);
      await writeDurably(keptPath, note);
      this.#seen = note;
      this.#complaint = '';
      this.#hold(consensus, note);
      log.info('a new consensus', { epoch: consensus.epoch, nodes: consensus.nodes.length });
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== this.#complaint) log.warn('the consensus file is refused', { reason });
      this.#complaint = reason;
    }
  }

  /** @throws DirectoryError */
  #accept(note: Uint8Array): Consensus {
    const { policy, clock, log } = this.#options;
    const previous = this.#latest?.consensus;
    try {
      return acceptConsensus({ note, policy, now: clock(), previous });
    } catch (error) {
      if (!isRefusal(error, 'not-yet-valid')) this.#seen = note;
      if (previous === undefined || !isRefusal(error, 'gap')) throw error;
      // The file never says what it held while this node was away. A quorum signed a later epoch,
      // and no key was swapped: what is missing concerns nobody who asks this node.
      const consensus = acceptConsensus({ note, policy, now: clock() });
      checkKeysKept(consensus, previous);
      log.warn('consensuses were missed', { from: previous.epoch, to: consensus.epoch });
      return consensus;
    }
  }

  #hold(consensus: Consensus, note: Uint8Array): void {
    this.#before = this.#latest?.consensus;
    this.#latest = { consensus, note };
    this.#notes.set(toHex(consensus.hash), note);
    const [oldest] = this.#notes.keys();
    if (this.#notes.size > MAX_CHAIN && oldest !== undefined) this.#notes.delete(oldest);
  }
}

function isRefusal(error: unknown, code: DirectoryErrorCode): boolean {
  return error instanceof DirectoryError && error.code === code;
}
