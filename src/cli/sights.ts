import process from 'node:process';
import type { Step, StepId } from '../stack/readiness/step.ts';
import type { Sight } from '../stack/readiness/watch-stack.ts';
import { describeStep, stepKey } from './readiness-view.ts';

/** Sights that several, one after the other, wait for. */
export class Sights {
  readonly #source: AsyncGenerator<Sight>;
  #newest: Sight | undefined;

  constructor(source: AsyncGenerator<Sight>) {
    this.#source = source;
  }

  /** The first that will do, from the newest seen on. */
  async until(willDo: (sight: Sight) => boolean): Promise<Sight> {
    for (;;) {
      if (this.#newest !== undefined && willDo(this.#newest)) return this.#newest;
      const next = await this.#source.next();
      if (next.done) throw new Error('nothing more is seen of the server');
      this.#newest = next.value;
    }
  }

  async end(): Promise<void> {
    await this.#source.return(undefined);
  }
}

/** Waits until a step is done, and tells meanwhile how far it is; resolves to what came of it. */
export async function settled(
  id: StepId,
  { sights, detail }: { readonly sights: Sights; readonly detail: (text: string) => void },
): Promise<string> {
  let told = '';
  const sight = await sights.until(({ steps }) => {
    const step = stepOf(id, steps);
    if (step.state === 'done' || step.state === 'skipped') return true;
    const key = changeOf(step);
    if (key !== told) detail(describeWithHint(step));
    told = key;
    return false;
  });
  const { state, detail: outcome } = stepOf(id, sight.steps);
  return state === 'skipped' ? `not needed: ${outcome}` : outcome;
}

function describeWithHint(step: Step): string {
  const described = describeStep(step, Date.now());
  return step.hint === undefined ? described : `${described}. ${step.hint}`;
}

/** In a terminal every word counts; a log of days needs no line for every block. */
function changeOf(step: Step): string {
  return process.stderr.isTTY ? describeWithHint(step) : stepKey(step);
}

function stepOf(id: StepId, steps: readonly Step[]): Step {
  const step = steps.find((each) => each.id === id);
  if (step === undefined) throw new Error(`no step ${id}`);
  return step;
}
