import { messageOf } from '../base/errors.ts';
import { shuffled } from '../base/shuffled.ts';
import { type NodeId } from '../directory/node-id.ts';
import { ProbeError } from './probe-error.ts';
import { type ProbeRuns } from './probe-runs.ts';
import { ProbeTurns, type Standing } from './probe-turns.ts';
import { byDeadline, type Time } from './time.ts';

export interface Probed {
  readonly nodeId: NodeId;
}

export interface ProbeLoopOptions<Node extends Probed> {
  /** All that are to be looked at: asked again and again. While there are none, time does not count. */
  readonly nodes: () => readonly Node[];
  /** Rejects when the node is not as it should be; with a ProbeError when that is not all. */
  readonly look: (node: Node, signal: AbortSignal) => Promise<void>;
  /** Keeps what comes of it. */
  readonly runs: ProbeRuns;
  /** From one look at a node to the next, on average. */
  readonly everyMs: number;
  /** How long a look may take. */
  readonly patienceMs: number;
  /** Must not be set: what it tells apart is only ever a while. */
  readonly time: Time;
  /** A whole number from 0 to under its argument. */
  readonly random: (below: number) => number;
  /** Told of a node that is not as it should be any more. */
  readonly onBroken: (nodeId: NodeId, reason: string) => void;
}

/** What the looks at a node came to. Milliseconds. */
interface Looks {
  /** When the next one is due: never while there is one. */
  due: number;
  /** In a row. */
  failures: number;
  failedAt: number;
  /** Whether the last one taught nothing. */
  isUnclear: boolean;
  /** And would have of no node. */
  isUntimely: boolean;
  /** How long the last one took. */
  tookMs: number;
  /** Until when there is no other one in a hurry. */
  calmUntil: number;
}

/** One that did not answer is asked again soon, because the way may have failed. */
const ATTEMPTS = 3;
/** Parts of an interval: until such a second look, and between two looks at what is due. */
const [SOON_PART, TICK_PART] = [1 / 8, 1 / 64];
/** Part of an interval: failures that are nearer to one another are of one outage. */
const APART_PART = 1 / 16;
/** One that goes on failing is looked at half as often each time, down to once in so many intervals. */
const LONGEST_INTERVALS = 16;
/**
 * Looks that take no longer are all made in time, at as many nodes as there can be. For each second more, a
 * node lets those go before it that are due a minute later: one that dawdles holds up its like.
 */
const [PROMPT_MS, DEFERENCE] = [30_000, 64];

/**
 * Looks at nodes, each after half to one and a half intervals, so that there is no rhythm to know the
 * looks by; at once at one that is new, and ever less often at one that fails.
 */
export class ProbeLoop<Node extends Probed> implements AsyncDisposable {
  readonly #options: ProbeLoopOptions<Node>;
  readonly #looks = new Map<NodeId, Looks>();
  readonly #turns = new ProbeTurns<Node>();
  readonly #looking = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #ticking: Promise<void>;

  constructor(options: ProbeLoopOptions<Node>) {
    this.#options = options;
    this.#ticking = this.#tick(this.#stop.signal).catch(() => undefined);
  }

  /** As soon as its turn comes, but no two times within an interval. */
  hurry(node: Node): void {
    const { time, everyMs } = this.#options;
    const now = time.now();
    const looks = this.#looksAt(node.nodeId);
    const soonest = Math.max(now, looks.calmUntil);
    if (soonest < looks.due) {
      looks.due = soonest;
      looks.calmUntil = soonest + everyMs;
    }
    if (looks.due <= now) this.#wait(node);
    this.#work();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ticking;
    await Promise.all(this.#looking);
  }

  async #tick(signal: AbortSignal): Promise<never> {
    const { nodes, runs, everyMs, time, random } = this.#options;
    let before = time.now();
    for (;;) {
      const now = time.now();
      const all = new Map(nodes().map((node) => [node.nodeId, node]));
      for (const nodeId of this.#looks.keys()) if (!all.has(nodeId)) this.#looks.delete(nodeId);
      this.#turns.retain((nodeId) => all.has(nodeId));
      if (all.size > 0) this.#passOver(now - before);
      else runs.passOverAll(now - before);
      const due = [...all.values()].filter(({ nodeId }) => this.#looksAt(nodeId).due <= now);
      for (const node of shuffled(due, random)) this.#wait(node);
      this.#work();
      before = now;
      await time.sleepUntil(now + TICK_PART * everyMs, signal);
    }
  }

  /**
   * While the looks at most nodes teach nothing, it is the looking that is broken. That time counts for
   * none of these; of fewer, because a node alone can bring it about.
   */
  #passOver(ms: number): void {
    const { runs, time } = this.#options;
    const running = [...this.#looks].filter(([nodeId]) => runs.isRunning(nodeId, time.now()));
    const unclear = running.filter(([, { isUnclear }]) => isUnclear);
    if (2 * unclear.length <= running.length) return;
    for (const [nodeId] of unclear) runs.passOver(nodeId, ms);
  }

  /** One that was seen before a restart has its turn within the first interval. */
  #looksAt(nodeId: NodeId): Looks {
    const held = this.#looks.get(nodeId);
    if (held !== undefined) return held;
    const { runs, everyMs, time } = this.#options;
    const looks: Looks = {
      due: time.now() + (runs.has(nodeId) ? everyMs * this.#uniform() : 0),
      ...{ failures: 0, failedAt: -Infinity, isUnclear: false, isUntimely: false },
      ...{ tookMs: 0, calmUntil: -Infinity },
    };
    this.#looks.set(nodeId, looks);
    return looks;
  }

  #wait(node: Node): void {
    const { due, tookMs } = this.#looksAt(node.nodeId);
    const standing = this.#standingOf(node.nodeId);
    const order = due + DEFERENCE * Math.max(0, tookMs - PROMPT_MS);
    this.#turns.wait({ node, standing, order });
  }

  #standingOf(nodeId: NodeId): Standing {
    if (this.#options.runs.has(nodeId)) return 'good';
    return this.#looksAt(nodeId).failures === 0 ? 'new' : 'failing';
  }

  #work(): void {
    if (this.#stop.signal.aborted) return;
    for (let node = this.#turns.take(); node !== undefined; node = this.#turns.take()) {
      const looking = this.#look(node).finally(() => {
        this.#looking.delete(looking);
        this.#work();
      });
      this.#looking.add(looking);
    }
  }

  async #look(node: Node): Promise<void> {
    const { look, patienceMs, time } = this.#options;
    const { nodeId } = node;
    const { signal } = this.#stop;
    const looks = this.#looksAt(nodeId);
    const startedAt = time.now();
    looks.due = Infinity;
    try {
      const deadlineMs = startedAt + patienceMs;
      await byDeadline({ deadlineMs, time, signal }, (inner) => look(node, inner));
      this.#succeed(nodeId, looks);
    } catch (error) {
      if (!signal.aborted) this.#fail(nodeId, looks, error);
    }
    looks.tookMs = time.now() - startedAt;
    this.#turns.done(nodeId);
  }

  #succeed(nodeId: NodeId, looks: Looks): void {
    this.#options.runs.see(nodeId, this.#options.time.now());
    Object.assign(looks, { failures: 0, failedAt: -Infinity, isUnclear: false, isUntimely: false });
    this.#plan(looks, 1);
    for (const other of this.#looks.values()) if (other.isUntimely) this.#makeUpFor(other);
  }

  /** For a look at the wrong time, once that is over. */
  #makeUpFor(looks: Looks): void {
    looks.isUntimely = false;
    if (looks.due !== Infinity) this.#plan(looks, SOON_PART);
  }

  #fail(nodeId: NodeId, looks: Looks, error: unknown): void {
    const { runs, time, onBroken, everyMs } = this.#options;
    const kind = error instanceof ProbeError ? error.kind : undefined;
    const now = time.now();
    looks.isUntimely = kind === 'untimely';
    looks.isUnclear = kind === 'unclear' || looks.isUntimely;
    if (looks.isUnclear) {
      this.#plan(looks, kind === 'unclear' ? SOON_PART : 1);
    } else if (kind === 'wrong') {
      runs.bar(nodeId, now);
      onBroken(nodeId, messageOf(error));
      looks.failures = ATTEMPTS;
      this.#plan(looks, 1);
    } else {
      if (now - looks.failedAt >= APART_PART * everyMs) {
        looks.failures += 1;
        looks.failedAt = now;
      }
      const isBroken = looks.failures >= ATTEMPTS && runs.break(nodeId);
      if (isBroken) onBroken(nodeId, messageOf(error));
      const further = Math.max(looks.failures - ATTEMPTS, 0);
      this.#plan(looks, Math.min(SOON_PART * 2 ** further, LONGEST_INTERVALS));
    }
  }

  /** After half of so many intervals to one and a half. */
  #plan(looks: Looks, intervals: number): void {
    const { time, everyMs } = this.#options;
    const due = time.now() + intervals * everyMs * (0.5 + this.#uniform());
    looks.due = Math.min(looks.due, due);
  }

  #uniform(): number {
    return this.#options.random(2 ** 20) / 2 ** 20;
  }
}
