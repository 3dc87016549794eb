import { messageOf } from '../../base/errors.ts';
import { unlessAborted } from '../../base/unless-aborted.ts';
import type { Observations, Observed } from './observations.ts';

/** One way to learn one thing of a server that may be in any state. */
export interface Probe<K extends keyof Observations = keyof Observations> {
  readonly of: K;
  readonly timeoutMs: number;
  /** Between the end of one look and the next. */
  readonly pauseMs: number;
  /** Instead, after a look that learnt something. */
  readonly restMs?: number;
  /** Whether looking can tell anything now. Always, when absent. */
  readonly isDue?: (observations: Observations) => boolean;
  readonly look: (context: LookContext) => Promise<ValueOf<K>>;
}

export interface LookContext {
  readonly observations: Observations;
  readonly signal: AbortSignal;
}

type ValueOf<K extends keyof Observations> =
  NonNullable<Observations[K]> extends Observed<infer T> ? T : never;

const MOST_CHARACTERS = 160;

export interface Look {
  readonly hasLearnt: boolean;
  /** What was learnt by the end of the probe's time. */
  readonly observed: Observations;
  /** When the look has really ended: the same probe must not look again before. */
  readonly ended: Promise<void>;
}

/** Looks once, for no longer than the probe's time. Resolves also when nothing was learnt. */
export async function look(probe: Probe, { observations, signal }: LookContext): Promise<Look> {
  signal.throwIfAborted();
  const timeout = AbortSignal.timeout(probe.timeoutMs);
  const bounded = AbortSignal.any([signal, timeout]);
  const looking = probe.look({ observations, signal: bounded });
  const ended = looking.then(
    () => undefined,
    () => undefined,
  );
  try {
    const value = await unlessAborted(looking, bounded);
    return { hasLearnt: true, observed: { [probe.of]: { value } }, ended };
  } catch (error) {
    signal.throwIfAborted();
    const failure = timeout.aborted
      ? `no answer within ${Math.round(probe.timeoutMs / 1000)} s`
      : firstLine(messageOf(error));
    return { hasLearnt: false, observed: { [probe.of]: { failure } }, ended };
  }
}

function firstLine(text: string): string {
  return (text.split('\n', 1)[0] ?? '').slice(0, MOST_CHARACTERS);
}
