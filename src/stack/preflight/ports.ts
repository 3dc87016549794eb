import { networkInterfaces } from 'node:os';
import { type Address, formatAddress } from '../../io/dial.ts';
import { findPortHolder, isTaken } from '../../io/port-holder.ts';
import { endpointsOf } from '../endpoints.ts';
import type { Check, Outcome } from '../finding.ts';
import { failure, fine } from '../outcome.ts';
import type { Subject } from './subject.ts';

/** Whether the ports that the server listens on are free, and the local network's is ours to give. */
export function portsCheck({ config }: Subject): Check {
  return {
    id: 'ports',
    title: 'ports',
    async run(): Promise<Outcome> {
      const { exposeLan, backend } = config;
      if (exposeLan !== undefined && !isOurs(exposeLan.host)) {
        return failure(
          `${exposeLan.host} is no address of this machine`,
          `Give one of: ${ownAddresses().join(', ')}`,
        );
      }
      const wanted = [
        ...(backend === 'process' ? loopbackPorts(config) : []),
        ...(exposeLan ? [exposeLan] : []),
      ];
      for (const address of wanted) {
        if (!(await isTaken(address))) continue;
        const holder = await findPortHolder(address);
        return {
          verdict: 'fail',
          found: `${formatAddress(address)} is in use by ${holder?.name ?? "another user's program"}`,
          todo:
            address === exposeLan
              ? 'Give another: --expose-lan ADDRESS:PORT'
              : 'Give others: --first-port 29150',
        };
      }
      return fine(wanted.length === 0 ? 'none is needed' : 'all are free');
    },
  };
}

function loopbackPorts(config: Subject['config']): Address[] {
  const { socks, bitcoind, targetListen, node, bridgeListen, guard } = endpointsOf(config);
  return [
    ...Object.values(socks),
    ...Object.values(bitcoind),
    ...[targetListen, node, bridgeListen, guard],
  ];
}

function isOurs(host: string): boolean {
  return host === '0.0.0.0' || ownAddresses().includes(host);
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family }) => family === 'IPv4')
    .map(({ address }) => address);
}
