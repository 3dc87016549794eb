import { randomInt } from 'node:crypto';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { shuffled } from '../base/shuffled.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { type NodeId } from '../directory/node-id.ts';
import { byDeadline, type Time } from './time.ts';

export interface ProberOptions {
  /** Rejects when the node does not answer as it should. */
  readonly ask: (descriptor: Descriptor, signal: AbortSignal) => Promise<void>;
  /** All that are to be probed: their newest descriptors. */
  readonly nodes: () => readonly Descriptor[];
  /** From one look at a node to the next. */
  readonly everyMs: number;
  readonly time: Time;
  readonly log: Logger;
}

/** What was seen of a node: milliseconds since the Unix epoch. */
interface Seen {
  /** From here on it has always answered. */
  readonly since: number;
  readonly last: number;
}

const AT_ONCE = 16;
/** An onion connection takes most of a minute at worst. */
const PATIENCE_MS = 90_000;
/** One that did not answer is asked again soon, because the way may have failed. */
const RETRIES = 2;
/** A node that answered so long ago, in intervals, is not there any more. */
const FORGOTTEN_AFTER = 2.5;
/** A node is stable that has answered for so long without a break. */
const STABLE_MS = 3 * 86_400_000;

/**
 * Looks whether nodes are there: each in every interval, in an order that changes, and at once when it
 * is new. What was seen is in memory: after a restart all are asked again, and nobody is stable for a
 * while.
 */
export class Prober implements AsyncDisposable {
  readonly #options: ProberOptions;
  readonly #seen = new Map<NodeId, Seen>();
  readonly #news = new Map<NodeId, Descriptor>();
  readonly #waiting = new Map<NodeId, Descriptor>();
  readonly #workers = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #rounds: Promise<void>;

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#rounds = this.#lookAround(this.#stop.signal).catch(() => undefined);
  }

  isRunning(nodeId: NodeId): boolean {
    const { everyMs, time } = this.#options;
    const seen = this.#seen.get(nodeId);
    return seen !== undefined && time.now() - seen.last < FORGOTTEN_AFTER * everyMs;
  }

  isStable(nodeId: NodeId): boolean {
    const seen = this.#seen.get(nodeId);
    return seen !== undefined && this.isRunning(nodeId) && seen.last - seen.since >= STABLE_MS;
  }

  /** Soon, before those that were seen already. */
  probe(descriptor: Descriptor): void {
    this.#news.set(descriptor.nodeId, descriptor);
    this.#work();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#rounds;
    await Promise.all(this.#workers);
  }

  async #lookAround(signal: AbortSignal): Promise<never> {
    const { nodes, everyMs, time } = this.#options;
    for (;;) {
      const all = new Map(nodes().map((descriptor) => [descriptor.nodeId, descriptor]));
      for (const nodeId of this.#seen.keys()) if (!all.has(nodeId)) this.#seen.delete(nodeId);
      this.#waiting.clear();
      for (const [nodeId, each] of shuffled([...all], randomInt)) this.#waiting.set(nodeId, each);
      this.#work();
      await time.sleepUntil(time.now() + everyMs, signal);
    }
  }

  #work(): void {
    const missing = Math.min(AT_ONCE - this.#workers.size, this.#news.size + this.#waiting.size);
    for (let count = 0; count < missing; count += 1) {
      const worker = this.#takeTurns(this.#stop.signal).finally(() => this.#workers.delete(worker));
      this.#workers.add(worker);
    }
  }

  async #takeTurns(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const from = this.#news.size > 0 ? this.#news : this.#waiting;
      const [next] = from;
      if (next === undefined) return;
      from.delete(next[0]);
      await this.#look(next[1], signal);
    }
  }

  async #look(descriptor: Descriptor, signal: AbortSignal): Promise<void> {
    const { ask, time, log } = this.#options;
    const { nodeId } = descriptor;
    let reason = '';
    for (let attempt = 0; attempt <= RETRIES; attempt += 1) {
      const deadlineMs = time.now() + PATIENCE_MS;
      try {
        await byDeadline({ deadlineMs, time, signal }, (inner) => ask(descriptor, inner));
        const now = time.now();
        const since = this.isRunning(nodeId) ? this.#seen.get(nodeId)?.since : undefined;
        this.#seen.set(nodeId, { since: since ?? now, last: now });
        return;
      } catch (error) {
        if (signal.aborted) return;
        reason = messageOf(error);
      }
    }
    if (this.#seen.delete(nodeId)) log.info('a node is not there any more', { nodeId, reason });
  }
}
