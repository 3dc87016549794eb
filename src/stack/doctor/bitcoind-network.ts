import { z } from 'zod';
import { formatAddress } from '../../io/dial.ts';
import type { Backend } from '../backend.ts';
import type { Check, Outcome } from '../finding.ts';
import { failure, fine } from '../outcome.ts';
import type { Plan } from '../plan.ts';

/** What of `getnetworkinfo` is looked at. */
export const NETWORK_INFO = z.looseObject({
  networks: z.array(
    z.looseObject({
      name: z.string(),
      reachable: z.boolean(),
      proxy: z.string(),
      proxy_randomize_credentials: z.boolean(),
    }),
  ),
  localaddresses: z.array(z.looseObject({ address: z.string() })),
});

export type NetworkInfo = z.output<typeof NETWORK_INFO>;

const TODO =
  'Undo what was changed in bitcoin.conf, or remove settings.json from its data directory; then: sotto restart bitcoind';

/** bitcoind reaches onions only, all of it through tor, and tells peers of its onion only. */
export function bitcoindNetwork(plan: Plan, backend: Pick<Backend, 'callBitcoind'>): Check {
  return {
    id: 'bitcoind-network',
    title: 'the network of bitcoind',
    async run({ signal }) {
      const call = { method: 'getnetworkinfo', result: NETWORK_INFO, signal };
      return judgeNetwork(plan, await backend.callBitcoind(call));
    },
  };
}

export function judgeNetwork(
  { endpoints, onions }: Pick<Plan, 'endpoints' | 'onions'>,
  { networks, localaddresses }: NetworkInfo,
): Outcome {
  const proxy = formatAddress(endpoints.socks.bitcoind);
  const onion = networks.find(({ name }) => name === 'onion');
  const clear = networks.filter(({ name, reachable }) => reachable && name !== 'onion');
  const direct = networks.filter((each) => each.reachable && each.proxy !== proxy);
  const wrong = [
    ...clear.map(({ name }) => `it may reach peers over ${name}`),
    ...(onion?.reachable === true ? [] : ['it does not reach onions']),
    ...direct.map(({ name }) => `it reaches ${name} other than through tor at ${proxy}`),
    ...(onion?.proxy_randomize_credentials === true ? [] : ['its peers share circuits of tor']),
    ...localaddresses
      .filter(({ address }) => address !== onions.p2p)
      .map(() => 'it tells peers an address other than its onion'),
  ];
  return wrong.length > 0
    ? failure(wrong.join('; '), TODO)
    : fine('onions only, each peer on circuits of its own');
}
