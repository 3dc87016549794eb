import { randomInt } from 'node:crypto';
import { shuffled } from '../base/shuffled.ts';
import { Gate } from '../electrum/gate.ts';

export interface QuestionsOptions<T> {
  /** Asks one, and deals with what comes of it. Never rejects. */
  readonly ask: (subject: T) => Promise<void>;
  /** Over which questions that come together are collected, to go out in random order. */
  readonly windowMs: number;
  /** How many are under way at once. */
  readonly atOnce: number;
}

/** Puts questions in turn, about each subject one at a time. */
export class Questions<T> implements AsyncDisposable {
  readonly #options: QuestionsOptions<T>;
  readonly #gate: Gate;
  readonly #gathered = new Set<T>();
  readonly #asking = new Map<T, 'in turn' | 'asked' | 'to be asked again'>();
  readonly #running = new Set<Promise<void>>();
  #window: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: QuestionsOptions<T>) {
    this.#options = options;
    this.#gate = new Gate(options.atOnce);
  }

  /** Asks with all that come within the window, so that their order tells nothing. */
  gather(subject: T): void {
    this.#gathered.add(subject);
    this.#window ??= setTimeout(() => {
      this.#window = undefined;
      const together = shuffled([...this.#gathered], randomInt);
      this.#gathered.clear();
      for (const each of together) this.ask(each);
    }, this.#options.windowMs);
  }

  /** Asks in turn; about what is asked at this moment, once more. */
  ask(subject: T): void {
    const state = this.#asking.get(subject);
    if (state === undefined) {
      const running = this.#run(subject).finally(() => this.#running.delete(running));
      this.#running.add(running);
    } else if (state === 'asked') {
      this.#asking.set(subject, 'to be asked again');
    }
  }

  isPending(subject: T): boolean {
    return this.#gathered.has(subject) || this.#asking.has(subject);
  }

  /** Asks nothing more, and waits for what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#window);
    await Promise.all(this.#running);
  }

  async #run(subject: T): Promise<void> {
    this.#asking.set(subject, 'in turn');
    await this.#gate.enter();
    do {
      this.#asking.set(subject, 'asked');
      if (!this.#isClosed) await this.#options.ask(subject);
    } while (this.#asking.get(subject) === 'to be asked again');
    this.#asking.delete(subject);
    this.#gate.leave();
  }
}
