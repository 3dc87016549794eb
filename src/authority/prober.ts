import { type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { type NodeId } from '../directory/node-id.ts';
import { AttemptError } from '../lookup/attempt-error.ts';
import { LookupError, type LookupErrorCode } from '../lookup/fault.ts';
import { type AskedScripts } from './asked-scripts.ts';
import { type FamilyWeights, gatewayWeights } from './carried-cells.ts';
import { ProbeError } from './probe-error.ts';
import { ProbeLoop } from './probe-loop.ts';
import { type ProberMemory } from './prober-memory.ts';
import { type Time } from './time.ts';

/** A gateway of the consensus that clients go by now, and the relays to ask it through. */
export interface AskableGateway {
  readonly nodeId: NodeId;
  readonly gateway: ConsensusNode;
  readonly consensus: Consensus;
  /** All that are there. */
  readonly relays: readonly ConsensusNode[];
}

export interface ProberOptions {
  readonly memory: ProberMemory;
  readonly asked: Pick<AskedScripts, 'retain' | 'save'>;
  /** All that are to be looked at: their newest descriptors. */
  readonly nodes: () => readonly Descriptor[];
  /** The newest, valid or not. */
  readonly consensus: () => Consensus | undefined;
  /** Rejects when the node is not at its onion. */
  readonly challenge: (descriptor: Descriptor, signal: AbortSignal) => Promise<void>;
  /** Rejects when the gateway does not answer right; with a ProbeError when that is not all. */
  readonly ask: (gateway: AskableGateway, signal: AbortSignal) => Promise<void>;
  /** From one look at a node to the next, on average. */
  readonly everyMs: number;
  /** Must not be set: what it tells apart is only ever a while. */
  readonly time: Time;
  /** By which consensuses are valid. */
  readonly clock: Clock;
  /** A whole number from 0 to under its argument. */
  readonly random: (below: number) => number;
  readonly log: Logger;
}

/** An onion connection takes most of a minute at worst. */
const CHALLENGE_MS = 90_000;
/** Up to three relays, one after the other: 60 s to reach each, and 50 s for its answer. */
const ASK_MS = 330_000;
/** Of which every gateway has two that are not of its own. */
const RELAY_FAMILIES = 3;
/** By more than this a clock that is kept right is never set. */
const SET_MS = 60_000;
/** What a gateway signs when the time in a question, or the key that is of that time, is not its own. */
const OF_THE_CLOCK: readonly LookupErrorCode[] = ['time-skew', 'key-unknown'];
/** Part of an interval. */
const SAVE_PART = 1 / 6;

/** Looks whether nodes are at their onions, gateways answer right and relays carry cells. */
export class Prober implements AsyncDisposable {
  readonly #options: ProberOptions;
  readonly #challenges: ProbeLoop<Descriptor>;
  readonly #questions: ProbeLoop<AskableGateway>;
  readonly #stop = new AbortController();
  readonly #saving: Promise<void>;
  /** Whether the gateways of the consensus can be asked. */
  #canAsk = false;
  /** The newest question that was answered right, and by how much the clock was ahead of the time then. */
  #right: { readonly at: number; readonly aheadMs: number };
  #weighed:
    { readonly consensus: Consensus | undefined; readonly weights: FamilyWeights } | undefined;

  constructor(options: ProberOptions) {
    this.#options = options;
    const { memory, nodes, challenge, clock, time, log } = options;
    this.#right = { at: time.now(), aheadMs: clock() - time.now() };
    this.#challenges = new ProbeLoop({
      ...options,
      nodes,
      look: challenge,
      runs: memory.there,
      patienceMs: CHALLENGE_MS,
      onBroken: (nodeId, reason) => {
        log.info('a node is not there any more', { nodeId, reason });
      },
    });
    this.#questions = new ProbeLoop({
      ...options,
      nodes: () => this.#askable(),
      look: (gateway, signal) => this.#ask(gateway, signal),
      runs: memory.right,
      patienceMs: ASK_MS,
      onBroken: (nodeId, reason) => {
        log.warn('a gateway does not answer right', { nodeId, reason });
      },
    });
    this.#saving = this.#saveNowAndThen(this.#stop.signal).catch(() => undefined);
  }

  isRunning({ nodeId, roles }: Pick<Descriptor, 'nodeId' | 'roles'>): boolean {
    const { memory, time } = this.#options;
    const now = time.now();
    return (
      memory.there.isRunning(nodeId, now) &&
      memory.carried.isCarrying(nodeId, this.#weights(), now) &&
      (!this.#mustAnswer(roles) || memory.right.isRunning(nodeId, now))
    );
  }

  /** Whether it showed itself at its onion lately, whatever it answers. */
  isThere(nodeId: NodeId): boolean {
    const { memory, time } = this.#options;
    return memory.there.isRunning(nodeId, time.now());
  }

  isStable(node: Pick<Descriptor, 'nodeId' | 'roles'>): boolean {
    const { memory, time } = this.#options;
    const now = time.now();
    return (
      this.isRunning(node) &&
      memory.there.isStable(node.nodeId, now) &&
      (!this.#mustAnswer(node.roles) || memory.right.isStable(node.nodeId, now))
    );
  }

  /** Looks whether it is there as soon as its turn comes. */
  probe(descriptor: Descriptor): void {
    this.#challenges.hurry(descriptor);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#saving;
    await this.#challenges[Symbol.asyncDispose]();
    await this.#questions[Symbol.asyncDispose]();
    await this.#save();
  }

  #mustAnswer(roles: Descriptor['roles']): boolean {
    return this.#canAsk && roles.has('gateway');
  }

  /** None without a consensus that nodes go by now and enough relays that are there. */
  #askable(): readonly AskableGateway[] {
    const { consensus: newest, memory, time, clock, nodes } = this.#options;
    const now = time.now();
    const consensus = newest();
    const isValid = consensus && clock() < consensus.validUntil * 1000;
    const there = isValid
      ? consensus.nodes.filter(({ nodeId }) => memory.there.isRunning(nodeId, now))
      : [];
    const relays = there.filter(({ flags }) => flags.has('Relay'));
    const families = new Set(relays.map(({ family }) => family)).size;
    this.#canAsk = families >= RELAY_FAMILIES;
    if (!this.#canAsk || consensus === undefined) return [];
    const here = new Set(nodes().map(({ nodeId }) => nodeId));
    return there
      .filter(({ nodeId, flags }) => flags.has('Gateway') && here.has(nodeId))
      .map((gateway) => ({ nodeId: gateway.nodeId, gateway, consensus, relays }));
  }

  /**
   * A question has the time in it, and gateways refuse it when that is wrong. After the clock was set such a
   * refusal is nobody's fault, until one of them answers right. Asked again soon, all would refuse again, and
   * see the same few scripts with the same wrong time.
   */
  async #ask(gateway: AskableGateway, signal: AbortSignal): Promise<void> {
    const { ask, clock, time } = this.#options;
    const at = time.now();
    const aheadMs = clock() - at;
    try {
      await ask(gateway, signal);
      if (at >= this.#right.at) this.#right = { at, aheadMs };
    } catch (error) {
      const setByMs = Math.abs(aheadMs - this.#right.aheadMs);
      if (!isOfTheClock(error) || setByMs <= SET_MS) throw error;
      throw new ProbeError('untimely', 'the clock was set', { cause: error });
    }
  }

  /** Of the newest consensus. */
  #weights(): FamilyWeights {
    const consensus = this.#options.consensus();
    if (this.#weighed === undefined || this.#weighed.consensus !== consensus) {
      this.#weighed = { consensus, weights: gatewayWeights(consensus ?? { nodes: [] }) };
    }
    return this.#weighed.weights;
  }

  async #saveNowAndThen(signal: AbortSignal): Promise<never> {
    const { time, everyMs } = this.#options;
    for (;;) {
      await time.sleepUntil(time.now() + SAVE_PART * everyMs, signal);
      await this.#save();
    }
  }

  async #save(): Promise<void> {
    const { memory, asked, nodes, time, log } = this.#options;
    const here = new Set(nodes().map(({ nodeId }) => nodeId));
    for (const each of [memory, asked]) each.retain((nodeId) => here.has(nodeId));
    try {
      await memory.save(time.now());
      await asked.save();
    } catch (error) {
      log.error('what was seen of nodes cannot be written', { reason: messageOf(error) });
    }
  }
}

function isOfTheClock(error: unknown): boolean {
  const isSigned = error instanceof AttemptError || error instanceof LookupError;
  return isSigned && OF_THE_CLOCK.includes(error.code);
}
