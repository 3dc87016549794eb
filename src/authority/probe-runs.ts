import { MAX_NODES } from '../directory/limits.ts';
import { type NodeId } from '../directory/node-id.ts';

/** For how long a node has been as it should be. Milliseconds, by a clock that nobody sets. */
export interface Run {
  /** From here on it always was. */
  readonly since: number;
  /** When that was seen last. */
  readonly last: number;
}

export interface ResumedRuns {
  readonly runs: Iterable<readonly [NodeId, Run]>;
  /** Until when nodes are barred. */
  readonly barred: Iterable<readonly [NodeId, number]>;
  /** Not later than `now`. */
  readonly stoppedAt: number;
  readonly now: number;
}

/** A node that was seen so long ago, in intervals, is not known to be there any more. */
const FORGOTTEN_AFTER = 2.5;
/** Nor is one before so long: a look alone may take as long. */
const FORGOTTEN_MS = 600_000;
/** A node is stable that has been there for so long without a break. */
const STABLE_MS = 3 * 86_400_000;
/** For so many intervals after a wrong answer a node is not there, however it answers. */
const BARRED_INTERVALS = 16;
/** Those that left are barred too: the ones whose bars end first are let go for more. */
export const MOST_BARRED = 2 * MAX_NODES;

/** What was seen of nodes: since when each is there without a break, and which are barred. */
export class ProbeRuns {
  readonly #everyMs: number;
  readonly #runs = new Map<NodeId, Run>();
  readonly #barred = new Map<NodeId, number>();
  #resumedAt = -Infinity;

  /** `everyMs`: from one look at a node to the next, on average. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  isRunning(nodeId: NodeId, now: number): boolean {
    return this.#unbroken(nodeId, now) !== undefined && !this.#isBarred(nodeId, now);
  }

  isStable(nodeId: NodeId, now: number): boolean {
    const run = this.#unbroken(nodeId, now);
    return this.isRunning(nodeId, now) && run !== undefined && run.last - run.since >= STABLE_MS;
  }

  has(nodeId: NodeId): boolean {
    return this.#runs.has(nodeId);
  }

  /** It is as it should be. */
  see(nodeId: NodeId, now: number): void {
    const run = this.#runs.get(nodeId);
    const isOne = run && !this.#isLong(Math.max(run.last, this.#resumedAt), now);
    // Time that was passed over may have moved it to a little later than now.
    this.#runs.set(nodeId, { since: isOne ? Math.min(run.since, now) : now, last: now });
  }

  /** So much time neither breaks its run nor makes it longer. */
  passOver(nodeId: NodeId, ms: number): void {
    const run = this.#runs.get(nodeId);
    if (run) this.#runs.set(nodeId, { since: run.since + ms, last: run.last + ms });
  }

  /** So much time neither breaks any run nor makes one longer. */
  passOverAll(ms: number): void {
    for (const nodeId of this.#runs.keys()) this.passOver(nodeId, ms);
    this.#resumedAt += ms;
  }

  /** It is not: says whether it was before. */
  break(nodeId: NodeId): boolean {
    return this.#runs.delete(nodeId);
  }

  /** It has answered wrong. */
  bar(nodeId: NodeId, now: number): void {
    this.#runs.delete(nodeId);
    this.#barred.delete(nodeId);
    for (const [other, until] of this.#barred) {
      if (until > now && this.#barred.size < MOST_BARRED) break;
      this.#barred.delete(other);
    }
    this.#barred.set(nodeId, now + BARRED_INTERVALS * this.#everyMs);
  }

  /** Forgets all other nodes, but not that they are barred: else who leaves and comes back is not. */
  retain(isKept: (nodeId: NodeId) => boolean): void {
    for (const nodeId of this.#runs.keys()) if (!isKept(nodeId)) this.#runs.delete(nodeId);
  }

  runs(): Iterable<readonly [NodeId, Run]> {
    return this.#runs;
  }

  /** Until when nodes are barred. */
  barred(): Iterable<readonly [NodeId, number]> {
    return this.#barred;
  }

  /**
   * Takes up what was seen before a restart. The time in between breaks no run and makes none longer;
   * after more of it than makes a node stable, nothing is known any more.
   */
  resume({ runs, barred, stoppedAt, now }: ResumedRuns): void {
    const awayMs = now - stoppedAt;
    if (awayMs > STABLE_MS) return;
    for (const [nodeId, { since, last }] of runs) {
      this.#runs.set(nodeId, { since: since + awayMs, last: Math.min(last, stoppedAt) });
    }
    for (const [nodeId, until] of barred) this.#barred.set(nodeId, until);
    this.#resumedAt = now;
  }

  #isBarred(nodeId: NodeId, now: number): boolean {
    return (this.#barred.get(nodeId) ?? 0) > now;
  }

  #unbroken(nodeId: NodeId, now: number): Run | undefined {
    const run = this.#runs.get(nodeId);
    return run === undefined || this.#isLong(run.last, now) ? undefined : run;
  }

  #isLong(from: number, now: number): boolean {
    return now - from >= Math.max(FORGOTTEN_AFTER * this.#everyMs, FORGOTTEN_MS);
  }
}
