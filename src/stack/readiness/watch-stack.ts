import type { Clock } from '../../base/clock.ts';
import type { Waiting } from '../backend.ts';
import type { OnionName } from '../home.ts';
import type { ServiceName } from '../service.ts';
import type { Subject } from './judgement.ts';
import type { Observations } from './observations.ts';
import { Readiness } from './readiness.ts';
import { type ProbedStack, stackProbes } from './stack-probes.ts';
import type { Step } from './step.ts';
import { lookOnce, watchProbes } from './watch-probes.ts';

export interface WatchOptions extends Waiting {
  readonly clock: Clock;
}

/** What was seen of a server at one moment. */
export interface Sight {
  readonly steps: readonly Step[];
  readonly observations: Observations;
}

/** Looks at a server until the signal aborts; tells what it sees at least once a second. */
export async function* watchStack(
  stack: ProbedStack,
  { clock, signal }: WatchOptions,
): AsyncGenerator<Sight> {
  await using looking = stackProbes(stack, clock);
  const readiness = new Readiness(subjectOf(stack));
  for await (const observations of watchProbes(looking.probes, { signal })) {
    yield { observations, steps: readiness.steps(observations, clock()) };
  }
}

/** @throws the signal's reason. */
export async function lookAtStack(
  stack: ProbedStack,
  { clock, signal }: WatchOptions,
): Promise<Sight> {
  await using looking = stackProbes(stack, clock);
  const observations = await lookOnce(looking.probes, { signal });
  return { observations, steps: new Readiness(subjectOf(stack)).steps(observations, clock()) };
}

function subjectOf({ config, plan }: ProbedStack): Subject {
  const { network, target, relay, bridge } = config;
  const onions: readonly OnionName[] =
    target === 'devnet' ? ['wallet', 'relay'] : ['wallet', 'relay', 'p2p'];
  const directoryOf = (name: ServiceName): string =>
    plan.services.find((service) => service.name === name)?.dataDirectory ?? plan.home.data(name);
  return {
    network,
    target,
    onions,
    membership: relay === undefined ? 'none' : relay.leave === true ? 'leaves' : 'joins',
    bridge: bridge?.lookup,
    chainDirectory: directoryOf('bitcoind'),
    indexDirectory: directoryOf('target'),
  };
}
