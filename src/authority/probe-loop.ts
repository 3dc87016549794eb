import { messageOf } from '../base/errors.ts';
import { shuffled } from '../base/shuffled.ts';
import { type NodeId } from '../directory/node-id.ts';
import { ProbeError } from './probe-error.ts';
import { type ProbeRuns } from './probe-runs.ts';
import { byDeadline, type Time } from './time.ts';

export interface Probed {
  readonly nodeId: NodeId;
}

export interface ProbeLoopOptions<Node extends Probed> {
  /** All that are to be looked at: asked again and again. */
  readonly nodes: () => readonly Node[];
  /** Rejects when the node is not as it should be; with a ProbeError when that is not all. */
  readonly look: (node: Node, signal: AbortSignal) => Promise<void>;
  /** Keeps what comes of it. */
  readonly runs: ProbeRuns;
  /** From one look at a node to the next, on average. */
  readonly everyMs: number;
  /** How long a look may take. */
  readonly patienceMs: number;
  readonly time: Time;
  /** A whole number from 0 to under its argument. */
  readonly random: (below: number) => number;
  /** Told of a node that is not as it should be any more. */
  readonly onBroken: (nodeId: NodeId, reason: string) => void;
}

const AT_ONCE = 64;
/** One that did not answer is asked again soon, because the way may have failed. */
const ATTEMPTS = 3;
/** Parts of an interval: until such a second look, and between two looks at what is due. */
const [SOON_PART, TICK_PART] = [1 / 8, 1 / 64];

/**
 * Looks at nodes, each after half to one and a half intervals, so that there is no rhythm to know the
 * looks by; at once at one that is new.
 */
export class ProbeLoop<Node extends Probed> implements AsyncDisposable {
  readonly #options: ProbeLoopOptions<Node>;
  readonly #due = new Map<NodeId, number>();
  readonly #failures = new Map<NodeId, number>();
  readonly #urgent = new Map<NodeId, Node>();
  readonly #waiting = new Map<NodeId, Node>();
  readonly #busy = new Set<NodeId>();
  readonly #workers = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #ticking: Promise<void>;

  constructor(options: ProbeLoopOptions<Node>) {
    this.#options = options;
    this.#ticking = this.#tick(this.#stop.signal).catch(() => undefined);
  }

  /** Now, before all others. */
  hurry(node: Node): void {
    this.#urgent.set(node.nodeId, node);
    this.#work();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ticking;
    await Promise.all(this.#workers);
  }

  async #tick(signal: AbortSignal): Promise<never> {
    const { nodes, everyMs, time, random } = this.#options;
    for (;;) {
      const all = new Map(nodes().map((node) => [node.nodeId, node]));
      for (const each of [this.#due, this.#failures, this.#waiting]) {
        for (const nodeId of each.keys()) if (!all.has(nodeId)) each.delete(nodeId);
      }
      for (const [nodeId, node] of shuffled([...all], random)) {
        if (this.#dueOf(nodeId) > time.now() || this.#busy.has(nodeId)) continue;
        this.#waiting.set(nodeId, node);
      }
      this.#work();
      await time.sleepUntil(time.now() + TICK_PART * everyMs, signal);
    }
  }

  /** One that was seen before a restart has its turn within the first interval. */
  #dueOf(nodeId: NodeId): number {
    const held = this.#due.get(nodeId);
    if (held !== undefined) return held;
    const { runs, everyMs, time } = this.#options;
    const due = time.now() + (runs.has(nodeId) ? everyMs * this.#uniform() : 0);
    this.#due.set(nodeId, due);
    return due;
  }

  #work(): void {
    const waiting = this.#urgent.size + this.#waiting.size;
    const missing = Math.min(AT_ONCE - this.#workers.size, waiting);
    for (let count = 0; count < missing; count += 1) {
      const worker = this.#takeTurns(this.#stop.signal).finally(() => this.#workers.delete(worker));
      this.#workers.add(worker);
    }
  }

  async #takeTurns(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const node = this.#next();
      if (node === undefined) return;
      this.#busy.add(node.nodeId);
      await this.#look(node, signal);
      this.#busy.delete(node.nodeId);
    }
  }

  #next(): Node | undefined {
    for (const from of [this.#urgent, this.#waiting]) {
      for (const [nodeId, node] of from) {
        if (this.#busy.has(nodeId)) continue;
        from.delete(nodeId);
        return node;
      }
    }
    return undefined;
  }

  async #look(node: Node, signal: AbortSignal): Promise<void> {
    const { look, patienceMs, time, runs } = this.#options;
    const { nodeId } = node;
    try {
      const deadlineMs = time.now() + patienceMs;
      await byDeadline({ deadlineMs, time, signal }, (inner) => look(node, inner));
      runs.see(nodeId, time.now());
      this.#settle(nodeId);
    } catch (error) {
      if (!signal.aborted) this.#fail(nodeId, error);
    }
  }

  #fail(nodeId: NodeId, error: unknown): void {
    const { runs, time, onBroken, everyMs } = this.#options;
    const kind = error instanceof ProbeError ? error.kind : undefined;
    const failures = (this.#failures.get(nodeId) ?? 0) + (kind === 'unclear' ? 0 : 1);
    if (kind === 'wrong' || failures === ATTEMPTS) {
      const wasThere = runs.break(nodeId);
      if (kind === 'wrong') runs.bar(nodeId, time.now());
      if (wasThere || kind === 'wrong') onBroken(nodeId, messageOf(error));
      this.#settle(nodeId);
    } else {
      this.#failures.set(nodeId, failures);
      this.#due.set(nodeId, time.now() + SOON_PART * everyMs * (0.5 + this.#uniform()));
    }
  }

  #settle(nodeId: NodeId): void {
    const { time, everyMs } = this.#options;
    this.#failures.delete(nodeId);
    this.#due.set(nodeId, time.now() + everyMs * (0.5 + this.#uniform()));
  }

  #uniform(): number {
    return this.#options.random(2 ** 20) / 2 ** 20;
  }
}
