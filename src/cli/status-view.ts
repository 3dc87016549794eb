import type { ServiceState } from '../stack/backend.ts';
import type { Holdings } from '../stack/holdings.ts';
import type { Plan } from '../stack/plan.ts';
import { failureOf, type Observations, valueOf } from '../stack/readiness/observations.ts';
import { isReady, type Step } from '../stack/readiness/step.ts';
import type { Sight } from '../stack/readiness/watch-stack.ts';
import { formatTable, formatMegabytes } from './output.ts';
import { describeSeconds, describeStep, markOf } from './readiness-view.ts';

/** All that `sotto status` tells. */
export interface Status {
  readonly plan: Pick<Plan, 'onions' | 'config'>;
  readonly sight: Sight;
  readonly holdings: Holdings;
  /** Chain and index are complete, but bitcoind still has the memory of the first days. */
  readonly isSyncEndDue: boolean;
  readonly nowMs: number;
}

export function statusText(status: Status): string {
  const { plan, sight, holdings, isSyncEndDue, nowMs } = status;
  const { steps, observations } = sight;
  const parts = [
    servicesText(observations, nowMs),
    formatTable([['', 'step', 'how far'], ...steps.map((step) => stepRow(step, nowMs))]),
    formatTable([
      ...Object.entries(plan.onions).map(([name, address]) => [`${name} onion`, address]),
      ['devices', holdings.devices.join(', ') || 'none yet: `sotto device add NAME`'],
      ['disk', diskText(observations, holdings)],
    ]),
    ...steps.flatMap(({ title, hint }) => (hint === undefined ? [] : [`${title}: ${hint}`])),
  ];
  if (isSyncEndDue) {
    parts.push(
      'The initial sync is over: `sotto up` gives back the memory that bitcoind had for it.',
    );
  }
  return parts.join('\n\n');
}

export function statusJson({ plan, sight, holdings, isSyncEndDue }: Status): unknown {
  const { steps, observations } = sight;
  const services = valueOf(observations.services);
  return {
    ready: isReady(steps),
    network: plan.config.network,
    target: plan.config.target,
    backend: plan.config.backend,
    services: services ?? [],
    ...(services === undefined && { problem: failureOf(observations.services) }),
    steps,
    onions: plan.onions,
    listing: valueOf(observations.listed),
    devices: holdings.devices,
    freeMegabytes: valueOf(observations.freeMegabytes),
    usedMegabytes: holdings.usedMegabytes,
    initialSyncEndDue: isSyncEndDue,
  };
}

function servicesText({ services }: Observations, nowMs: number): string {
  const states = valueOf(services);
  if (states === undefined) return `services: ${failureOf(services)}`;
  return formatTable([
    ['service', 'state', 'restarts', 'since', 'last end'],
    ...states.map((state) => serviceRow(state, nowMs)),
  ]);
}

function serviceRow(
  { service, state, restarts, since, lastExit = '' }: ServiceState,
  nowMs: number,
): readonly (string | number)[] {
  const age = since === undefined ? '' : describeSeconds((nowMs - Date.parse(since)) / 1000);
  return [service, state, restarts, age, lastExit];
}

function stepRow(step: Step, nowMs: number): readonly string[] {
  return [markOf(step), step.title, describeStep(step, nowMs)];
}

function diskText({ freeMegabytes }: Observations, { usedMegabytes }: Holdings): string {
  const used = Object.entries(usedMegabytes).map(
    ([name, size]) => `${name} ${formatMegabytes(size)}`,
  );
  const free = valueOf(freeMegabytes);
  return [...used, ...(free === undefined ? [] : [`${formatMegabytes(free)} free`])].join(', ');
}
