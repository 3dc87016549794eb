import { join } from 'node:path';
import { fromUtf8 } from '../base/bytes.ts';
import { oneAtATime } from '../base/in-turn.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { readIfPresent, removeIfPresent, writeDurably } from '../io/durable-file.ts';
import { type AuthorityAnswer, type Publication, publicationSchema } from './publication.ts';

const NAME = 'publication.json';

/** What the node in this data directory keeps; undefined before its first descriptor. */
export async function readPublication(dataDirectory: string): Promise<Publication | undefined> {
  const bytes = await readIfPresent(join(dataDirectory, NAME));
  return bytes && publicationSchema.parse(JSON.parse(fromUtf8(bytes)));
}

/** What was said of another network, or before the node left, is no answer any more. */
export async function forgetPublication(dataDirectory: string): Promise<void> {
  await removeIfPresent(join(dataDirectory, NAME));
}

export interface PublicationFileOptions {
  readonly dataDirectory: string;
  /** Names of all whom the descriptor is brought to. */
  readonly authorities: readonly string[];
  readonly log: Logger;
}

/** Keeps for `sotto join` and `sotto status` what the authorities say of the newest descriptor. */
export class PublicationFile implements AsyncDisposable {
  readonly #options: PublicationFileOptions;
  readonly #inTurn = oneAtATime();
  readonly #answers = new Map<string, AuthorityAnswer>();
  #descriptor = '';

  constructor(options: PublicationFileOptions) {
    this.#options = options;
  }

  /** There is a new descriptor, with this digest in hexadecimal; nobody has answered yet. */
  begin(descriptor: string): void {
    this.#descriptor = descriptor;
    this.#answers.clear();
    this.#write();
  }

  /** In place of what the same authority said before. */
  add(answer: AuthorityAnswer): void {
    this.#answers.set(answer.authority, answer);
    this.#write();
  }

  /** Waits for what is being written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(() => Promise.resolve());
  }

  #write(): void {
    const { dataDirectory, authorities, log } = this.#options;
    const path = join(dataDirectory, NAME);
    const publication: Publication = {
      descriptor: this.#descriptor,
      authorities: [...authorities],
      answers: [...this.#answers.values()],
    };
    this.#inTurn(() => writeDurably(path, `${JSON.stringify(publication, null, 2)}\n`)).catch(
      (error: unknown) => {
        log.error('what the authorities said cannot be kept', { reason: messageOf(error) });
      },
    );
  }
}
