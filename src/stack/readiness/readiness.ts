import type { ServiceState } from '../backend.ts';
import type { ServiceName } from '../service.ts';
import { judgeBlocks, judgeHeaders } from './judge-bitcoind.ts';
import { judgeListed } from './judge-listed.ts';
import {
  judgeBridge,
  judgeIndex,
  judgeRelayOnion,
  judgeTarget,
  judgeWalletOnion,
} from './judge-target.ts';
import { judgeOnions, judgeTor } from './judge-tor.ts';
import { failed, type Judge, type Judgement, type Subject } from './judgement.ts';
import { type Observations, valueOf } from './observations.ts';
import { Pace } from './pace.ts';
import { type Step, STEP_IDS, STEP_TITLES, type StepId, type StepState } from './step.ts';

interface Rule {
  readonly judge: Judge;
  /** The steps without which this one cannot be done. */
  readonly after: (subject: Subject) => readonly StepId[];
  /** Who does the work. */
  readonly service: ServiceName;
  /** Whether its progress says when it ends. */
  readonly isSteady?: true;
}

const RULES: Readonly<Record<StepId, Rule>> = {
  tor: { judge: judgeTor, after: () => [], service: 'tor' },
  onions: { judge: judgeOnions, after: () => ['tor'], service: 'tor' },
  headers: { judge: judgeHeaders, after: () => [], service: 'bitcoind', isSteady: true },
  blocks: { judge: judgeBlocks, after: () => ['headers'], service: 'bitcoind', isSteady: true },
  index: { judge: judgeIndex, after: () => ['blocks'], service: 'target', isSteady: true },
  target: { judge: judgeTarget, after: () => ['index'], service: 'target' },
  bridge: {
    judge: judgeBridge,
    // Relayed it needs no index, and serves wallets from the first hour on.
    after: ({ bridge }) => (bridge === 'relayed' ? ['tor'] : ['target']),
    service: 'bridge',
  },
  'wallet-onion': {
    judge: judgeWalletOnion,
    after: ({ bridge }) => ['onions', bridge === undefined ? 'target' : 'bridge'],
    service: 'tor',
  },
  'relay-onion': { judge: judgeRelayOnion, after: () => ['onions', 'target'], service: 'node' },
  listed: { judge: judgeListed, after: () => ['relay-onion'], service: 'node' },
};

/** A service that ended by itself so often while its step was due does not come up any more. */
const MOST_RESTARTS = 5;

interface Memory {
  readonly pace: Pace;
  state: StepState;
  /** The step it waits for; waiting for another one is another wait. */
  blockedBy: StepId | undefined;
  sinceMs: number;
  /** How often its service had ended by itself when the step was first due. */
  restartsBefore: number | undefined;
}

interface Moment {
  readonly observations: Observations;
  readonly nowMs: number;
  /** The steps before that are done, or no part of this server. */
  readonly settled: ReadonlySet<StepId>;
}

/** Turns what was observed into steps: how far the server is, since when, and what to do. */
export class Readiness {
  readonly #subject: Subject;
  readonly #memories = new Map<StepId, Memory>();

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** @param nowMs milliseconds since the epoch. */
  steps(observations: Observations, nowMs: number): readonly Step[] {
    const settled = new Set<StepId>();
    return STEP_IDS.map((id) => {
      const step = this.#step(id, { observations, nowMs, settled });
      if (step.state === 'done' || step.state === 'skipped') settled.add(id);
      return step;
    });
  }

  #step(id: StepId, moment: Moment): Step {
    const { observations, nowMs, settled } = moment;
    const { judge, after, service } = RULES[id];
    const memory = this.#memoryOf(id, nowMs);
    const blockedBy = after(this.#subject).find((earlier) => !settled.has(earlier));
    const judged = judge(observations, { subject: this.#subject, nowMs });
    if (judged.progress !== undefined) memory.pace.note(judged.progress, nowMs);
    const judgement = isStopped(observations)
      ? whenStopped(judged)
      : blockedBy === undefined
        ? withService(judged, { state: stateOf(observations, service), memory })
        : whenBlocked(judged, blockedBy);
    if (judgement.state !== memory.state || blockedBy !== memory.blockedBy) {
      Object.assign(memory, { state: judgement.state, blockedBy, sinceMs: nowMs });
    }
    return present(id, { judgement, memory, nowMs });
  }

  #memoryOf(id: StepId, nowMs: number): Memory {
    const known = this.#memories.get(id);
    if (known !== undefined) return known;
    const fresh: Memory = {
      pace: new Pace(),
      state: 'waiting',
      blockedBy: undefined,
      sinceMs: nowMs,
      restartsBefore: undefined,
    };
    this.#memories.set(id, fresh);
    return fresh;
  }
}

type Settled = Omit<Judgement, 'state'> & { readonly state: StepState };

function isStopped({ services }: Observations): boolean {
  return valueOf(services)?.every((service) => !isUp(service)) ?? false;
}

function isUp({ state }: ServiceState): boolean {
  return state === 'running' || state === 'restarting';
}

function whenStopped(judged: Judgement): Settled {
  if (judged.state === 'skipped') return judged;
  return { state: 'waiting', detail: 'the server is stopped' };
}

/** What gets on although a step before it is not done, such as an index over some of the blocks. */
function whenBlocked(judged: Judgement, blockedBy: StepId): Settled {
  if (judged.state !== 'working' || judged.progress !== undefined) return judged;
  return { state: 'waiting', detail: `first: ${STEP_TITLES[blockedBy]}` };
}

/** A service that does not come up explains better why its step does not get on. */
function withService(
  judged: Judgement,
  { state, memory }: { readonly state: ServiceState | undefined; readonly memory: Memory },
): Judgement {
  if (judged.state !== 'working' || state === undefined) return judged;
  const { service, restarts, lastExit = 'unknown' } = state;
  const before = Math.min(memory.restartsBefore ?? restarts, restarts);
  memory.restartsBefore = before;
  if (!isUp(state)) {
    const hint = `\`sotto up\` starts it; \`sotto logs ${service}\` shows why it ended.`;
    return failed(`${service} does not run`, hint);
  }
  if (restarts - before >= MOST_RESTARTS) {
    const detail = `${service} ended ${restarts - before} times, last with ${lastExit}`;
    return failed(detail, `\`sotto logs ${service}\` shows why.`);
  }
  return judged;
}

function stateOf({ services }: Observations, name: ServiceName): ServiceState | undefined {
  return valueOf(services)?.find(({ service }) => service === name);
}

interface Presented {
  readonly judgement: Settled;
  readonly memory: Memory;
  readonly nowMs: number;
}

function present(id: StepId, { judgement, memory, nowMs }: Presented): Step {
  const { state, detail, progress, advice } = judgement;
  const { pace, sinceMs } = memory;
  const isMoving = state === 'working' && progress !== undefined;
  const etaSeconds = isMoving && RULES[id].isSteady ? pace.secondsLeft(nowMs) : undefined;
  const idleMs = nowMs - Math.max(sinceMs, isMoving ? (pace.advancedMs ?? sinceMs) : sinceMs);
  const hint = advice !== undefined && idleMs >= advice.afterMs ? advice.text : undefined;
  return {
    id,
    title: STEP_TITLES[id],
    state,
    detail,
    ...(isMoving && { percent: Math.floor(progress * 1000) / 10 }),
    ...(etaSeconds !== undefined && { etaSeconds }),
    ...(hint !== undefined && { hint }),
    sinceMs,
  };
}
