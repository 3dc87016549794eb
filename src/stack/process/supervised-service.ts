import { messageOf } from '../../base/errors.ts';
import { unlessAborted } from '../../base/unless-aborted.ts';
import type { Child, ChildExit } from '../../io/child-process.ts';
import type { ServiceState } from '../backend.ts';
import { BackOff } from './back-off.ts';
import type { Timing } from './timing.ts';

export interface SupervisedServiceOptions {
  readonly start: () => Promise<Child>;
  readonly timing: Timing;
  /** Told when it ended by itself or could not be started, and when it is started again. */
  readonly onExit: (exit: string, waitMs: number) => void;
}

export type RunState = Pick<ServiceState, 'state' | 'restarts' | 'since' | 'lastExit'>;

interface Run {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Keeps one program running: starts it again, after longer and longer waits, until it is stopped. */
export class SupervisedService {
  readonly #options: SupervisedServiceOptions;
  #run: Run | undefined;
  #state: RunState = { state: 'stopped', restarts: 0 };

  constructor(options: SupervisedServiceOptions) {
    this.#options = options;
  }

  get state(): RunState {
    return this.#state;
  }

  /** Resolves when a first start was tried, however it went. Nothing happens when it runs. */
  async start(): Promise<void> {
    if (this.#run !== undefined) return;
    const stop = new AbortController();
    this.#state = { state: 'restarting', restarts: 0 };
    await new Promise<void>((resolve) => {
      this.#run = { stop, ended: this.#keepRunning(stop.signal, resolve) };
    });
  }

  /** Resolves when it has ended. */
  async stop(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    run.stop.abort();
    await run.ended;
    if (this.#run === run) this.#run = undefined;
  }

  async #keepRunning(stop: AbortSignal, onTried: () => void): Promise<void> {
    const { timing, onExit } = this.#options;
    const backOff = new BackOff(() => timing.random());
    for (;;) {
      const startedAt = timing.clock();
      const lastExit = await this.#runOnce(stop, onTried);
      onTried();
      const { restarts, lastExit: lastBefore } = this.#state;
      if (lastExit === undefined) {
        const last = lastBefore === undefined ? {} : { lastExit: lastBefore };
        this.#state = { state: 'stopped', restarts, ...last };
        return;
      }
      this.#state = { state: 'restarting', restarts: restarts + 1, lastExit };
      const waitMs = backOff.after(timing.clock() - startedAt);
      onExit(lastExit, waitMs);
      await timing.sleep(waitMs, stop);
    }
  }

  /** How it ended, or undefined when it was stopped. */
  async #runOnce(stop: AbortSignal, onStarted: () => void): Promise<string | undefined> {
    const isStopped = (): boolean => stop.aborted;
    if (isStopped()) return undefined;
    try {
      await using child = await this.#options.start();
      const since = new Date(this.#options.timing.clock()).toISOString();
      this.#state = { ...this.#state, state: 'running', since };
      onStarted();
      return describeExit(await unlessAborted(child.exited, stop));
    } catch (error) {
      return isStopped() ? undefined : messageOf(error);
    }
  }
}

function describeExit({ code, signal }: ChildExit): string {
  return signal ?? `code ${code ?? 'unknown'}`;
}
