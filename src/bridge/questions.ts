import { type Clock } from '../base/clock.ts';
import { Hold } from '../io/hold.ts';
import { Gate } from '../electrum/gate.ts';

export interface QuestionsOptions<T> {
  /** Asks one, and deals with what comes of it. Never rejects. */
  readonly ask: (subject: T) => Promise<void>;
  /** Over which questions that come together are spread, to go out in random order. */
  readonly windowMs: number;
  /** How many are under way at once. */
  readonly atOnce: number;
  readonly clock: Clock;
}

/** Puts questions in turn, about each subject one at a time. */
export class Questions<T> implements AsyncDisposable {
  readonly #options: QuestionsOptions<T>;
  readonly #gate: Gate;
  readonly #gathered = new Set<T>();
  readonly #asking = new Map<T, 'in turn' | 'asked' | 'to be asked again'>();
  readonly #running = new Set<Promise<void>>();
  readonly #hold: Hold<T>;
  #isClosed = false;

  constructor(options: QuestionsOptions<T>) {
    this.#options = options;
    this.#gate = new Gate(options.atOnce);
    this.#hold = new Hold({
      clock: options.clock,
      release: (subjects) => {
        for (const subject of subjects) this.#gathered.delete(subject);
        for (const subject of subjects) this.ask(subject);
      },
    });
  }

  /** Asks at a random moment of the window, so that neither order nor time of a burst is told. */
  gather(subject: T): void {
    if (this.#gathered.has(subject)) return;
    this.#gathered.add(subject);
    this.#hold.addWithin(subject, this.#options.windowMs);
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
    this.#hold.clear();
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
