import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { PUT_KINDS, type Taken } from '../relay/frame-payload.ts';
import type { DirectoryPeer } from './directory-peer.ts';
import type { AuthorityAnswer } from './publication.ts';

export interface PublishOptions {
  readonly authorities: readonly DirectoryPeer[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Told after each attempt. */
  readonly onAnswer: (answer: AuthorityAnswer) => void;
  /** Between attempts: the first wait is doubled until it is the last. */
  readonly waitMs?: { readonly first: number; readonly last: number };
}

export interface Publisher extends AsyncDisposable {
  /** Brings this to every authority, in place of what came before. */
  publish(news: NodeNews): void;
}

/** What authorities are to know of a node. */
export interface NodeNews {
  /** The descriptor note. */
  readonly descriptor: Uint8Array;
  /** The file of the bond that the descriptor names: spec/directory.md section 12. */
  readonly bond?: Uint8Array | undefined;
}

const WAIT_MS = { first: 10_000, last: 900_000 };
/** The longest that a timer takes. */
const IDLE_MS = 2 ** 31 - 1;

/**
 * Brings descriptors to authorities: to each by itself, again and again until it has taken or refused
 * the newest one. What is refused is not brought again; the next one is.
 */
export function startPublisher(options: PublishOptions): Publisher {
  const stop = new AbortController();
  const couriers = options.authorities.map((authority) => new Courier(authority, options));
  const running = Promise.all(couriers.map((courier) => courier.run(stop.signal)));
  return {
    publish: (news) => {
      for (const courier of couriers) courier.publish(news);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

class Courier {
  readonly #authority: DirectoryPeer;
  readonly #options: PublishOptions;
  /** What is not yet taken or refused. */
  #due: NodeNews | undefined;
  #pause = new AbortController();

  constructor(authority: DirectoryPeer, options: PublishOptions) {
    this.#authority = authority;
    this.#options = options;
  }

  publish(news: NodeNews): void {
    this.#due = news;
    this.#pause.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { first, last } = this.#options.waitMs ?? WAIT_MS;
    let waitMs = first;
    while (!signal.aborted) {
      this.#pause = new AbortController();
      const news = this.#due;
      if (news === undefined) {
        waitMs = first;
        await this.#wait(IDLE_MS, signal);
        continue;
      }
      const { verdict } = await this.#bring(news, signal);
      const isSettled = verdict === 'taken' || verdict === 'refused';
      if (this.#due !== news) continue;
      if (isSettled) this.#due = undefined;
      else {
        // Not all nodes come back at the same moment to an authority that was away.
        await this.#wait(waitMs * (0.5 + Math.random() / 2), signal);
        waitMs = Math.min(2 * waitMs, last);
      }
    }
  }

  async #bring(news: NodeNews, signal: AbortSignal): Promise<AuthorityAnswer> {
    const answer = await this.#attempt(news, signal);
    if (signal.aborted || this.#due !== news) return answer;
    const { authority, verdict, reason } = answer;
    const { log, onAnswer } = this.#options;
    if (verdict === 'taken') {
      log.info('an authority took the descriptor', { authority, ...(reason && { reason }) });
    } else log.warn('an authority has not taken the descriptor', { authority, verdict, reason });
    onAnswer(answer);
    return answer;
  }

  async #attempt(news: NodeNews, signal: AbortSignal): Promise<AuthorityAnswer> {
    const authority = this.#authority.name;
    const at = (): number => Math.floor(this.#options.clock() / 1000);
    try {
      const taken = await this.#put(news, signal);
      return { authority, verdict: taken.verdict, reason: taken.text, at: at() };
    } catch (error) {
      return { authority, verdict: 'unreached', reason: messageOf(error), at: at() };
    }
  }

  /** The bond comes first: with it there is a place for the descriptor where there are many nodes. */
  async #put({ descriptor, bond }: NodeNews, signal: AbortSignal): Promise<Taken> {
    const proved = bond && (await this.#authority.put(PUT_KINDS.bond, bond, signal));
    const taken = await this.#authority.put(PUT_KINDS.descriptor, descriptor, signal);
    const isProved = proved === undefined || proved.verdict === 'taken';
    return isProved || taken.verdict !== 'taken' ? taken : proved;
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const waiting = AbortSignal.any([signal, this.#pause.signal]);
    await sleep(ms, undefined, { signal: waiting }).catch(() => undefined);
  }
}
