import { createHash } from 'node:crypto';
import type { Logger } from '../../base/log.ts';
import type { Child } from '../../io/child-process.ts';
import type { ServiceState } from '../backend.ts';
import type { Plan } from '../plan.ts';
import type { ServiceName, ServiceSpec } from '../service.ts';
import { SupervisedService } from './supervised-service.ts';
import type { Timing } from './timing.ts';

export interface SupervisorOptions {
  readonly start: (spec: ServiceSpec) => Promise<Child>;
  readonly timing: Timing;
  readonly log: Logger;
}

/** The part of a plan that says what runs. */
export type Services = Pick<Plan, 'services' | 'onions'>;

interface Held {
  readonly name: ServiceName;
  /** Of the settings it runs with. */
  readonly fingerprint: string;
  readonly service: SupervisedService;
}

/** Runs the services of a plan. One order at a time; each waits for the one before. */
export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  /** In the order in which they start. */
  #held: readonly Held[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Ends what the plan has not, or has otherwise, and starts what does not run. The services
   * `anew` are ended and started in any case. Resolves when each has been started once.
   */
  apply(plan: Services, anew: readonly ServiceName[] = []): Promise<void> {
    return this.#inTurn(async () => {
      const wanted = plan.services.map((spec) => ({
        spec,
        fingerprint: fingerprintOf(plan, spec),
      }));
      const keeps = ({ name, fingerprint }: Held): boolean =>
        !anew.includes(name) &&
        wanted.some(({ spec, fingerprint: next }) => spec.name === name && next === fingerprint);
      await this.#stop(this.#held.filter((held) => !keeps(held)));
      const kept = this.#held.filter(keeps);
      this.#held = wanted.map(({ spec, fingerprint }) => {
        const { name } = spec;
        const held = kept.find((each) => each.name === name);
        return held ?? { name, fingerprint, service: this.#supervise(spec) };
      });
      for (const { service } of this.#held) await service.start();
    });
  }

  states(): readonly ServiceState[] {
    return this.#held.map(({ name, service }) => ({ service: name, ...service.state }));
  }

  /** Ends all services, the last that started first. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(() => this.#stop(this.#held));
  }

  async #stop(services: readonly Held[]): Promise<void> {
    for (const { name, service } of [...services].reverse()) {
      this.#options.log.info('stopping', { service: name });
      await service.stop();
    }
  }

  #supervise(spec: ServiceSpec): SupervisedService {
    const { start, timing, log } = this.#options;
    return new SupervisedService({
      start: async () => {
        const child = await start(spec);
        log.info('started', { service: spec.name, pid: child.pid });
        return child;
      },
      timing,
      onExit: (exit, waitMs) => {
        log.warn('ended by itself', { service: spec.name, exit, startsAgainInMs: waitMs });
      },
    });
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const result = this.#last.then(step);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/** tor's keys are files of their own: the addresses tell them apart. */
function fingerprintOf({ onions }: Services, { name, command, files }: ServiceSpec): string {
  const settings = JSON.stringify([command, files, name === 'tor' && onions]);
  return createHash('sha256').update(settings).digest('hex');
}
