import { z } from 'zod';
import type { Backend } from '../backend.ts';
import type { Check, Outcome } from '../finding.ts';
import { failure, fine, warning } from '../outcome.ts';
import type { Plan } from '../plan.ts';

/** What of `getpeerinfo` is looked at. */
export const PEER_INFO = z.array(
  z.looseObject({
    addr: z.string(),
    network: z.string(),
    inbound: z.boolean(),
    connection_type: z.string(),
  }),
);

export type PeerInfo = z.output<typeof PEER_INFO>;

/** Every peer of bitcoind is an onion, and bitcoind chose it itself. */
export function bitcoindPeers(plan: Plan, backend: Pick<Backend, 'callBitcoind'>): Check {
  return {
    id: 'bitcoind-peers',
    title: 'the peers of bitcoind',
    async run({ signal }) {
      const call = { method: 'getpeerinfo', result: PEER_INFO, signal };
      return judgePeers(plan, await backend.callBitcoind(call));
    },
  };
}

export function judgePeers(
  { endpoints, config }: Pick<Plan, 'endpoints' | 'config'>,
  peers: PeerInfo,
): Outcome {
  // electrs fetches blocks as a peer, over the network that the two share.
  const isElectrs = ({ addr, inbound }: PeerInfo[number]): boolean =>
    config.target === 'electrs' && inbound && addr.startsWith(`${endpoints.sources.target}:`);
  const others = peers.filter((peer) => !isElectrs(peer));
  const clear = others.filter(({ network }) => network !== 'onion');
  const manual = others.filter(({ connection_type: kind }) => kind === 'manual');
  if (clear.length > 0) {
    const networks = [...new Set(clear.map(({ network }) => network))].join(', ');
    return failure(
      `${clear.length} of ${others.length} peers are not onions but ${networks}`,
      'Stop it now: sotto down. Undo what was changed in bitcoin.conf; then: sotto up',
    );
  }
  if (manual.length > 0) {
    return failure(
      `${manual.length} peers were added by hand`,
      'Whoever runs them learns that this server is up: remove addnode and connect, then: sotto restart bitcoind',
    );
  }
  if (others.length === 0 && config.network !== 'regtest') {
    return warning('none now', 'The first peers over Tor can take half an hour: sotto status');
  }
  return fine(others.length === 0 ? 'none' : `${others.length}, all of them onions`);
}
