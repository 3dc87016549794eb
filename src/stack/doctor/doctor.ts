import type { Clock } from '../../base/clock.ts';
import type { Check } from '../finding.ts';
import type { Stack } from '../open-stack.ts';
import { loadPins } from '../pins.ts';
import { clockCheck } from '../preflight/clock.ts';
import { verifyChecks } from '../verify.ts';
import { bitcoindNetwork } from './bitcoind-network.ts';
import { bitcoindPeers } from './bitcoind-peers.ts';
import { bondCheck } from './bond-check.ts';
import { diskRoom } from './disk-room.ts';
import { dockerVersions } from './docker-versions.ts';
import { hardeningCheck } from './hardening-check.ts';
import { isolationProbe } from './isolation-probe.ts';
import { memoryRoom } from './memory-room.ts';
import { networksCheck } from './networks-check.ts';
import { notIsolated } from './not-isolated.ts';
import { relayOnion, walletOnion } from './own-onion.ts';
import { portsCheck } from './ports-check.ts';
import { renderedFiles } from './rendered-files.ts';
import { secretFiles } from './secret-files.ts';
import { servicesCheck } from './services-check.ts';
import { torCheck } from './tor-check.ts';
import { walletKeys } from './wallet-keys.ts';

/** Everything that `sotto doctor` looks at, in this order. None of it changes anything. */
export async function doctorChecks(
  { plan, backend, home, config }: Stack,
  clock: Clock,
): Promise<readonly Check[]> {
  const pins = await loadPins();
  return [
    ...(config.backend === 'docker'
      ? [
          dockerVersions,
          servicesCheck(backend),
          isolationProbe(plan),
          networksCheck(plan),
          portsCheck(plan),
          hardeningCheck(plan),
        ]
      : [servicesCheck(backend), notIsolated]),
    ...(config.target === 'devnet'
      ? []
      : [bitcoindNetwork(plan, backend), bitcoindPeers(plan, backend)]),
    walletKeys(plan),
    secretFiles(home),
    renderedFiles(plan),
    clockCheck(clock),
    torCheck(home, clock),
    ...verifyChecks({ plan, backend, pins }),
    diskRoom(plan),
    memoryRoom(plan, backend),
    ...(config.relay?.bond === undefined ? [] : [bondCheck(config.relay.bond, { plan, backend })]),
    walletOnion(plan),
    relayOnion(plan, clock),
  ];
}
