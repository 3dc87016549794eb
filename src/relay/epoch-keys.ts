import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { messageOf, UserError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import {
  eraseFile,
  makePrivateDirectory,
  namesIn,
  readIfPresent,
  writeDurably,
} from '../io/durable-file.ts';
import type { CellKey } from './cell.ts';
import { encodeKeyConfig } from './key-config.ts';
import { keyPairFromSeed } from './x25519.ts';

export interface EpochKeysOptions {
  /** Made with mode 0700. It belongs to the keys alone: what else is in it is erased. */
  readonly directory: string;
  /** Life of a key; a day outside tests and devnets. */
  readonly epochMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the descriptor says of one key. */
export interface PublishedKey {
  readonly epoch: number;
  /** 41 bytes (RFC 9458 section 3). */
  readonly keyConfig: Uint8Array;
}

/** The keys that open cells: one for each epoch, erased when it ends (spec/relay.md section 8.1). */
export interface EpochKeys extends AsyncDisposable {
  /** The key a cell names, while cells to it are accepted. */
  keyFor(keyId: number): CellKey | undefined;
  /** That of the current epoch, then that of the next. */
  published(): readonly PublishedKey[];
}

const SEED_BYTES = 32;
/** A key is accepted for a twelfth of its epoch longer: 2 hours of a day. */
const ACCEPTED_LONGER = 1 / 12;
/** The wall clock may be set while we wait. */
const LONGEST_WAIT_MS = 3_600_000;
const RETRY_MS = 60_000;

export async function openEpochKeys(options: EpochKeysOptions): Promise<EpochKeys> {
  await makePrivateDirectory(options.directory);
  const keys = new KeptKeys(options);
  await keys.turn();
  return keys;
}

class KeptKeys implements EpochKeys {
  readonly #options: EpochKeysOptions;
  readonly #held = new Map<number, CellKey>();
  #timer: NodeJS.Timeout | undefined;
  #turning: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: EpochKeysOptions) {
    this.#options = options;
  }

  keyFor(keyId: number): CellKey | undefined {
    // The time is asked here too: a late timer must not lengthen the life of a key.
    const accepted = this.#accepted();
    const epoch = accepted.find((candidate) => candidate % 256 === keyId);
    return epoch === undefined ? undefined : this.#held.get(epoch);
  }

  published(): readonly PublishedKey[] {
    const current = this.#current();
    return [current, current + 1].flatMap((epoch) => {
      const key = this.#held.get(epoch);
      return key === undefined ? [] : [{ epoch, keyConfig: key.keyConfig }];
    });
  }

  /** Erases what has ended, makes what is missing, and waits for the next end or start. */
  async turn(): Promise<void> {
    const accepted = this.#accepted();
    for (const epoch of this.#held.keys()) {
      if (!accepted.includes(epoch)) this.#held.delete(epoch);
    }
    const { directory } = this.#options;
    const names = accepted.map(fileName);
    for (const name of await namesIn(directory)) {
      if (!names.includes(name)) await eraseFile(join(directory, name));
    }
    for (const epoch of accepted) {
      const key = this.#held.get(epoch) ?? (await this.#open(epoch));
      if (key !== undefined) this.#held.set(epoch, key);
    }
    this.#wait(Math.min(this.#msToNextTurn(), LONGEST_WAIT_MS));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turning;
    this.#held.clear();
  }

  #wait(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#turning = this.turn().catch((error: unknown) => {
        this.#options.log.error('the keys of this epoch cannot be kept', {
          reason: messageOf(error),
        });
        this.#wait(RETRY_MS);
      });
    }, delayMs);
  }

  #current(): number {
    return Math.floor(this.#options.clock() / this.#options.epochMs);
  }

  /** The epochs whose keys open cells now, oldest first. */
  #accepted(): number[] {
    const current = this.#current();
    const before = this.#options.clock() < this.#endOf(current - 1) ? [current - 1] : [];
    return [...before, current, current + 1];
  }

  /** When the key of an epoch is erased. */
  #endOf(epoch: number): number {
    return (epoch + 1 + ACCEPTED_LONGER) * this.#options.epochMs;
  }

  #msToNextTurn(): number {
    const now = this.#options.clock();
    const [oldest = this.#current()] = this.#accepted();
    return Math.min(this.#endOf(oldest), (this.#current() + 1) * this.#options.epochMs) - now;
  }

  /** Undefined when the epoch is over and this node had no key for it. */
  async #open(epoch: number): Promise<CellKey | undefined> {
    const path = join(this.#options.directory, fileName(epoch));
    const held = await readIfPresent(path);
    if (held === undefined && epoch < this.#current()) return undefined;
    const seed = held ?? randomBytes(SEED_BYTES);
    if (seed.length !== SEED_BYTES) throw new UserError(`${path} is damaged; remove it`);
    if (held === undefined) await writeDurably(path, seed);
    const { privateKey, publicKey } = keyPairFromSeed(seed);
    seed.fill(0);
    return { keyConfig: encodeKeyConfig({ keyId: epoch % 256, publicKey }), privateKey };
  }
}

function fileName(epoch: number): string {
  return `epoch-${epoch}.seed`;
}
