import assert from 'node:assert/strict';
import { test } from 'vitest';
import { testPlan } from '../../../test/server-plan.ts';
import { judgeNetwork, NETWORK_INFO, type NetworkInfo } from './bitcoind-network.ts';
import { judgePeers, PEER_INFO, type PeerInfo } from './bitcoind-peers.ts';

const plan = testPlan();
const PROXY = '10.77.8.10:9050';

/** As Bitcoin Core 31 answers with the bitcoin.conf of the plan. */
const RECORDED = {
  version: 310100,
  subversion: '/Satoshi:31.1.0/',
  networkactive: true,
  connections: 0,
  networks: [
    networkOf('ipv4', { limited: true, reachable: false, proxy: PROXY }),
    networkOf('ipv6', { limited: true, reachable: false, proxy: PROXY }),
    networkOf('onion', { limited: false, reachable: true, proxy: PROXY }),
    {
      ...networkOf('i2p', { limited: true, reachable: false, proxy: '' }),
      proxy_randomize_credentials: false,
    },
    networkOf('cjdns', { limited: true, reachable: false, proxy: PROXY }),
  ],
  localaddresses: [{ address: plan.onions.p2p, port: 8333, score: 4 }],
  warnings: [],
};

function networkOf(
  name: string,
  rest: { readonly limited: boolean; readonly reachable: boolean; readonly proxy: string },
): NetworkInfo['networks'][number] {
  return { name, ...rest, proxy_randomize_credentials: true };
}

/** The recorded answer, with one of its networks changed. */
function withNetwork(name: string, changes: Partial<NetworkInfo['networks'][number]>): NetworkInfo {
  const networks = RECORDED.networks.map((each) =>
    each.name === name ? { ...each, ...changes } : each,
  );
  return NETWORK_INFO.parse({ ...RECORDED, networks });
}

test('a bitcoind that reaches onions only passes', () => {
  assert.equal(judgeNetwork(plan, NETWORK_INFO.parse(RECORDED)).verdict, 'ok');
});

test('clearnet peers that bitcoin.conf allows fail, named', () => {
  // As it answers when onlynet is gone.
  const { verdict, found } = judgeNetwork(
    plan,
    withNetwork('ipv4', { limited: false, reachable: true }),
  );
  assert.equal(verdict, 'fail');
  assert.equal(found, 'it may reach peers over ipv4');
});

test('a way around tor, and circuits that peers share, fail', () => {
  const around = judgeNetwork(plan, withNetwork('onion', { proxy: '' }));
  assert.match(around.found, /other than through tor at 10\.77\.8\.10:9050/);
  const shared = judgeNetwork(plan, withNetwork('onion', { proxy_randomize_credentials: false }));
  assert.match(shared.found, /share circuits/);
  const silent = judgeNetwork(plan, withNetwork('onion', { reachable: false }));
  assert.match(silent.found, /does not reach onions/);
  assert.deepEqual(
    [around, shared, silent].map(({ verdict }) => verdict),
    ['fail', 'fail', 'fail'],
  );
});

test('an address that is not its onion fails, and is not repeated', () => {
  const localaddresses = [...RECORDED.localaddresses, { address: '203.0.113.7', port: 8333 }];
  const { verdict, found } = judgeNetwork(
    plan,
    NETWORK_INFO.parse({ ...RECORDED, localaddresses }),
  );
  assert.equal(verdict, 'fail');
  assert.ok(!found.includes('203'));
});

const PEER = {
  id: 0,
  addr: '10.77.8.10:41200',
  network: 'onion',
  inbound: true,
  connection_type: 'inbound',
};

function judged(...peers: readonly Partial<PeerInfo[number]>[]): ReturnType<typeof judgePeers> {
  return judgePeers(plan, PEER_INFO.parse(peers.map((peer) => ({ ...PEER, ...peer }))));
}

test('peers that are onions pass', () => {
  const outbound = { inbound: false, connection_type: 'outbound-full-relay' };
  assert.deepEqual(judged({}, outbound), { verdict: 'ok', found: '2, all of them onions' });
});

test('no peer is a warning, but in regtest', () => {
  assert.equal(judged().verdict, 'warn');
  assert.equal(judgePeers(testPlan({ network: 'regtest' }), []).verdict, 'ok');
});

test('a peer in the clear fails', () => {
  const { verdict, found } = judged({}, { network: 'ipv4', addr: '203.0.113.7:8333' });
  assert.equal(verdict, 'fail');
  assert.equal(found, '1 of 2 peers are not onions but ipv4');
});

test('a peer that somebody added fails', () => {
  assert.equal(judged({ inbound: false, connection_type: 'manual' }).verdict, 'fail');
});

test('electrs on its own network is no peer, from anywhere else it is', () => {
  const electrs = testPlan({ target: 'electrs' });
  const peer = { ...PEER, network: 'not_publicly_routable' };
  const ofElectrs = { ...peer, addr: '10.77.8.35:50000' };
  assert.equal(judgePeers(electrs, PEER_INFO.parse([PEER, ofElectrs])).verdict, 'ok');
  assert.equal(judgePeers(electrs, PEER_INFO.parse([peer])).verdict, 'fail');
  assert.equal(judgePeers(plan, PEER_INFO.parse([ofElectrs])).verdict, 'fail');
});
