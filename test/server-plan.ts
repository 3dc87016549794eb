import type { StackConfig } from '../src/config/stack-config.ts';
import { homeAt } from '../src/stack/home.ts';
import { makePlan, type Plan } from '../src/stack/plan.ts';
import { TEST_PROJECT } from './docker-container.ts';

const CONFIG: StackConfig = {
  network: 'mainnet',
  target: 'fulcrum',
  backend: 'docker',
  openWallet: false,
  docker: { project: TEST_PROJECT, networkPrefix: '10.77.8' },
  process: { firstPort: 29_050, programs: {} },
};

/** A plan of a server in containers, on a machine of 8 GiB. */
export function testPlan(changes: Partial<StackConfig> = {}): Plan {
  const onion = (letter: string): string => `${letter.repeat(56)}.onion`;
  return makePlan({
    config: { ...CONFIG, ...changes },
    home: homeAt('/nonexistent/sotto'),
    facts: {
      uid: 21_000,
      gid: 21_000,
      memoryMiB: 8192,
      onions: { wallet: onion('a'), relay: onion('b'), p2p: onion('c') },
      targetRpc: { name: 'target', password: 'p', salt: '00', hmac: '00' },
      initialSyncDone: true,
      images: { tor: 'tor:0', bitcoind: 'bitcoind:0', target: 'target:0', node: 'node:0' },
    },
  });
}
