import type { Clock } from '../../base/clock.ts';
import { Scope } from '../../base/lifecycle.ts';
import { kindOf } from '../../io/file-tree.ts';
import { freeMegabytes } from '../../io/free-space.ts';
import type { Stack } from '../open-stack.ts';
import { bitcoindProbe } from './bitcoind-probe.ts';
import { probeElectrum } from './electrum-probe.ts';
import { probeListed } from './listed-probe.ts';
import { probeLog } from './log-probe.ts';
import type { Probe } from './look.ts';
import { type Observations, valueOf } from './observations.ts';
import { probeRelayOnion, probeWalletOnion } from './onion-probe.ts';
import { torProbe } from './tor-probe.ts';

export type ProbedStack = Pick<Stack, 'config' | 'plan' | 'backend'>;

export interface StackProbes extends AsyncDisposable {
  readonly probes: readonly Probe[];
}

/** Every way to look at a personal server, as far as it has that part. */
export function stackProbes({ config, plan, backend }: ProbedStack, clock: Clock): StackProbes {
  const scope = new Scope();
  const { network, relay } = config;
  const tor = scope.use(torProbe(plan));
  const bitcoind = bitcoindProbe(backend);
  const probes: Probe[] = [
    probe({
      of: 'services',
      timeoutMs: 20_000,
      pauseMs: 5_000,
      look: ({ signal }) => backend.states({ signal }),
    }),
    probe({
      of: 'tor',
      timeoutMs: 5_000,
      pauseMs: 1_000,
      look: ({ signal }) => tor.observe(signal),
    }),
    probe({
      of: 'target',
      timeoutMs: 20_000,
      pauseMs: 3_000,
      look: ({ signal }) =>
        probeElectrum((dialing) => backend.dialElectrum('target', { signal: dialing }), signal),
    }),
    probe({
      of: 'walletOnion',
      timeoutMs: 60_000,
      pauseMs: 5_000,
      restMs: 60_000,
      isDue: (seen) => canBeReached(seen, config.bridge ? 'bridge' : 'target'),
      look: ({ signal }) => probeWalletOnion(plan, signal),
    }),
    probe({
      of: 'relayOnion',
      timeoutMs: 60_000,
      pauseMs: 5_000,
      restMs: 60_000,
      isDue: (seen) => canBeReached(seen, 'target'),
      look: ({ signal }) => probeRelayOnion(plan, { network, clock, signal }),
    }),
    probe({
      of: 'freeMegabytes',
      timeoutMs: 5_000,
      pauseMs: 30_000,
      look: () => leastFree(plan),
    }),
  ];
  if (config.bridge !== undefined) {
    probes.push(
      probe({
        of: 'bridge',
        timeoutMs: 20_000,
        pauseMs: 3_000,
        look: ({ signal }) =>
          probeElectrum((dialing) => backend.dialElectrum('bridge', { signal: dialing }), signal),
      }),
    );
  }
  if (config.target !== 'devnet') {
    probes.push(
      probe({
        of: 'bitcoind',
        timeoutMs: 30_000,
        pauseMs: 3_000,
        look: ({ signal }) => bitcoind.observe(signal),
      }),
      probe({
        of: 'bitcoindLog',
        timeoutMs: 10_000,
        pauseMs: 5_000,
        isDue: (seen) => seen.bitcoind !== undefined && valueOf(seen.bitcoind) === undefined,
        look: ({ signal }) =>
          probeLog({
            backend,
            service: 'bitcoind',
            partOfWork: () => Promise.resolve(undefined),
            signal,
          }),
      }),
      probe({
        of: 'targetLog',
        timeoutMs: 20_000,
        pauseMs: 5_000,
        isDue: (seen) => seen.target !== undefined && valueOf(seen.target) === undefined,
        look: ({ observations, signal }) =>
          probeLog({
            backend,
            service: 'target',
            partOfWork: async (height) =>
              answers(observations)
                ? await bitcoind.partOfWork(height, signal).catch(() => undefined)
                : undefined,
            signal,
          }),
      }),
    );
  }
  if (relay !== undefined) {
    probes.push(
      probe({
        of: 'listed',
        timeoutMs: 10_000,
        pauseMs: 10_000,
        look: () =>
          probeListed({
            policyFile: relay.policy,
            nodeDirectory: plan.home.data('node'),
          }),
      }),
    );
  }
  return { probes, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
}

/** Checks that what is looked at is what the observation is of. */
function probe<K extends keyof Observations>(of: Probe<K>): Probe {
  return of;
}

function canBeReached(seen: Observations, behind: 'target' | 'bridge'): boolean {
  return valueOf(seen.tor)?.bootstrapPercent === 100 && valueOf(seen[behind]) !== undefined;
}

function answers({ bitcoind }: Observations): boolean {
  const seen = valueOf(bitcoind);
  return seen !== undefined && seen.warmUp === undefined;
}

async function leastFree({ home, services }: ProbedStack['plan']): Promise<number> {
  const directories = services.flatMap(({ dataDirectory }) => dataDirectory ?? []);
  const free = directories.map(async (directory) =>
    // Before the first start they are not there.
    freeMegabytes((await kindOf(directory)) === undefined ? home.directory : directory),
  );
  return Math.min(...(await Promise.all(free)));
}
