import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { ConsensusNode } from '../directory/consensus.ts';
import type { Dial } from '../io/dial.ts';
import { type Answer, decodeAnswer, decodeQuota, type Hello } from './frame-payload.ts';
import type { Frame } from './frame.ts';
import { LinkError } from './link-error.ts';
import { Link } from './link.ts';
import type { RelayLimits } from './relay-limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** What the link knows of a cell; the caller may remember more. */
export interface Outgoing {
  readonly cell: Uint8Array;
  sent: boolean;
}

export interface WarmLinkOptions<T> {
  readonly node: ConsensusNode;
  readonly dial: Dial;
  readonly hello: () => Hello;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: RelayLimits;
  readonly onAnswer: (asked: T, payload: Uint8Array) => void;
}

/** 32 bits: the ids of frames. */
const ID_RANGE = 0x1_0000_0000;

/**
 * The relay's link to one gateway, kept up whether there are cells or not, so that connecting says
 * nothing about clients (spec/relay.md section 8.2).
 */
export class WarmLink<T extends Outgoing> implements AsyncDisposable {
  readonly node: ConsensusNode;
  readonly #options: WarmLinkOptions<T>;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #link: Link | undefined;
  /** Cells that were due while there was no link. */
  readonly #waiting = new Set<T>();
  /** Cells of this link without an answer, by frame id, and the ids the other way round. */
  readonly #asked = new Map<number, T>();
  readonly #idOf = new Map<T, number>();
  /** Answers of this link that may still come for cells that were given up. */
  #late = 0;
  /** Cells admitted and not yet done with, those still held in the mix included. */
  #admitted = 0;
  #quota: TokenBucket | undefined;
  #restUntil = 0;

  constructor(options: WarmLinkOptions<T>) {
    this.#options = options;
    this.node = options.node;
    this.#running = this.#keepUp(this.#stop.signal);
  }

  get ready(): boolean {
    return this.#link !== undefined;
  }

  /** Counts one more cell for this gateway; false when that would pass its quota or ours. */
  admit(): boolean {
    const { limits, clock } = this.#options;
    if (this.#admitted >= limits.cellsInFlightPerGateway || clock() < this.#restUntil) return false;
    if (this.#quota?.take() === false) return false;
    this.#admitted += 1;
    return true;
  }

  /** Sends an admitted cell once, under a fresh id: now, or when the link comes up. */
  ask(asked: T): void {
    if (this.#link === undefined) {
      this.#waiting.add(asked);
      return;
    }
    const id = this.#freshId();
    this.#asked.set(id, asked);
    this.#idOf.set(asked, id);
    asked.sent = true;
    this.#link.send({ type: 'IN', id, payload: asked.cell });
  }

  /** An admitted cell is done with: answered, or given up. */
  done(asked: T): void {
    this.#admitted -= 1;
    this.#waiting.delete(asked);
    const id = this.#idOf.get(asked);
    if (id === undefined) return;
    this.#idOf.delete(asked);
    this.#asked.delete(id);
    this.#late += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #keepUp(signal: AbortSignal): Promise<void> {
    const { first, last } = this.#options.limits.reconnectMs;
    let pauseMs = first;
    while (!signal.aborted) {
      try {
        if ((await this.#connectOnce(signal)) > last) pauseMs = first;
      } catch (error) {
        this.#options.log.debug('a gateway is out of reach', {
          nodeId: this.node.nodeId,
          reason: messageOf(error),
        });
      }
      // Not all relays come back at the same moment to a gateway that was away.
      await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(
        () => undefined,
      );
      pauseMs = Math.min(pauseMs * 2, last);
    }
  }

  /** Resolves when the link has ended, with the milliseconds that it was ready. */
  async #connectOnce(signal: AbortSignal): Promise<number> {
    const { dial, hello, clock, limits } = this.#options;
    const isolation = `gateway ${this.node.nodeId}`;
    const stream = await dial(this.node.onion, { signal, isolation });
    return new Promise((resolve) => {
      let readyAt = Infinity;
      const link = new Link({
        stream,
        hello: hello(),
        answers: false,
        clock,
        timing: { ...limits.clientTiming, idleMs: Infinity },
        onHello: () => {
          readyAt = clock();
          this.#link = link;
          this.#askWaiting();
        },
        onFrame: (frame) => {
          this.#take(frame);
        },
        onClose: () => {
          signal.removeEventListener('abort', stop);
          this.#forgetLink();
          resolve(clock() - readyAt);
        },
      });
      const stop = (): void => {
        link.close('closed', 'the relay stops');
      };
      signal.addEventListener('abort', stop);
      if (signal.aborted) stop();
    });
  }

  #askWaiting(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const asked of waiting) this.ask(asked);
  }

  #take(frame: Frame): void {
    if (frame.type === 'QUOTA') {
      this.#obey(decodeQuota(frame.payload));
      return;
    }
    if (frame.type !== 'OUT') throw new LinkError('protocol', `${frame.type} from a gateway`);
    assertFromGateway(decodeAnswer(frame.payload));
    const asked = this.#asked.get(frame.id);
    if (asked !== undefined) {
      this.#asked.delete(frame.id);
      this.#idOf.delete(asked);
      this.#options.onAnswer(asked, frame.payload);
      return;
    }
    if (this.#late === 0) throw new LinkError('protocol', 'an answer to nothing asked');
    this.#late -= 1;
  }

  #obey(quota: { cellsPerSecond: number; burst: number; retry: number }): void {
    const { cellsPerSecond, burst, retry } = quota;
    const { clock } = this.#options;
    this.#quota = new TokenBucket({ perSecond: cellsPerSecond, burst, clock });
    this.#restUntil = clock() + retry * 1000;
  }

  #forgetLink(): void {
    this.#link = undefined;
    this.#asked.clear();
    this.#idOf.clear();
    this.#late = 0;
    this.#quota = undefined;
    this.#restUntil = 0;
  }

  #freshId(): number {
    for (;;) {
      const id = randomInt(ID_RANGE);
      if (!this.#asked.has(id)) return id;
    }
  }
}

/** The codes of the relay are this node's own to say. */
function assertFromGateway({ status }: Answer): void {
  switch (status) {
    case 'OK':
    case 'KEY_UNKNOWN':
    case 'OPEN_FAILED':
    case 'REPLAY':
    case 'OVERLOAD':
      return;
    default:
      throw new LinkError('protocol', `${status} from a gateway`);
  }
}
