import assert from 'node:assert/strict';
import { test } from 'vitest';
import { testPlan } from '../../../test/server-plan.ts';
import { formatAddress } from '../../io/dial.ts';
import type { ServiceName } from '../service.ts';
import { type Trial, trialOf } from './forbidden.ts';
import { leaksOf } from './judge-probe.ts';
import type { ProbeReport } from './probe.ts';

const plan = testPlan({ exposeLan: { host: '192.168.1.5', port: 50_001 } });

function trialFor(service: ServiceName, of = plan): Trial {
  const spec = of.services.find(({ name }) => name === service);
  return trialOf({ plan: of, service: spec, hostAddresses: ['192.168.1.5'] });
}

/** What comes back where nothing gets out. */
function quiet({ order }: Trial): ProbeReport {
  return {
    dialled: order.dial.map(() => 'silent'),
    resolved: false,
    resolvedBy: order.resolvers.map(() => false),
    proxied: order.proxies.map(() => 'refused'),
    routers: [],
  };
}

/** A quiet report, but that one address answers so. */
function answering(trial: Trial, address: string, reach: 'opened' | 'refused'): ProbeReport {
  const at = trial.order.dial.findIndex((each) => formatAddress(each) === address);
  assert.notEqual(at, -1, `${address} is tried`);
  return {
    ...quiet(trial),
    dialled: trial.order.dial.map((_, i) => (i === at ? reach : 'silent')),
  };
}

test('silence everywhere is no leak', () => {
  for (const { name } of plan.services) {
    const trial = trialFor(name);
    assert.deepEqual(leaksOf(trial, quiet(trial)), []);
  }
});

test('nobody is tried whom a service may reach', () => {
  const tried = (service: ServiceName): string[] => trialFor(service).order.dial.map(formatAddress);
  assert.ok(!tried('bitcoind').includes('10.77.8.10:9050'));
  assert.ok(!tried('target').includes('10.77.8.34:8332'));
  assert.ok(tried('node').includes('10.77.8.34:8332'));
  assert.ok(tried('target').includes('10.77.8.26:9050'));
  assert.ok(tried('bitcoind').includes('10.77.8.10:9051'));
});

test('what listens everywhere is tried on the networks that it does not share', () => {
  const relay = { policy: '/p' };
  const bridged = testPlan({ relay, bridge: { lookup: 'relayed' } });
  const tried = (service: ServiceName): string[] =>
    trialFor(service, bridged).order.dial.map(formatAddress);
  assert.ok(tried('bridge').includes('10.77.8.42:50001'));
  assert.ok(!tried('bridge').includes('10.77.8.91:50001'));
  assert.ok(tried('node').includes('10.77.8.83:50001'));
  assert.ok(!tried('tor').includes('10.77.8.83:50001'));
  assert.deepEqual(trialFor('bridge', bridged).order.proxies, [{ host: '10.77.8.82', port: 9050 }]);
  for (const { name } of bridged.services) {
    assert.ok(!tried(name).some((address) => address.startsWith('0.0.0.0:')), name);
  }
});

test('the internet that refuses was reached, a neighbour that refuses was not', () => {
  const trial = trialFor('node');
  assert.deepEqual(leaksOf(trial, answering(trial, '1.1.1.1:443', 'refused')), [
    'reaches the internet at 1.1.1.1:443',
  ]);
  assert.deepEqual(leaksOf(trial, answering(trial, '192.168.1.5:22', 'refused')), [
    'reaches this machine at 192.168.1.5:22',
  ]);
  assert.deepEqual(leaksOf(trial, answering(trial, '10.77.8.26:9051', 'refused')), []);
  assert.deepEqual(leaksOf(trial, answering(trial, '10.77.8.26:9051', 'opened')), [
    'reaches tor at 10.77.8.26:9051',
  ]);
});

test('names that resolve, and a tor that gives clearnet, are leaks', () => {
  const trial = trialFor('bitcoind');
  assert.deepEqual(leaksOf(trial, { ...quiet(trial), resolved: true }), ['resolves names']);
  const resolvedBy = trial.order.resolvers.map(() => true);
  assert.deepEqual(leaksOf(trial, { ...quiet(trial), resolvedBy }), [
    'resolves names by 1.1.1.1, 9.9.9.9 and 1 more',
  ]);
  assert.deepEqual(leaksOf(trial, { ...quiet(trial), proxied: ['granted'] }), [
    'gets clearnet from tor at 10.77.8.10:9050',
  ]);
  assert.deepEqual(leaksOf(trial, { ...quiet(trial), proxied: ['absent'] }), []);
});

test('a router is a leak, unless there is none at its address', () => {
  const trial = trialFor('node');
  assert.deepEqual(leaksOf(trial, { ...quiet(trial), routers: ['10.77.8.25'] }), []);
  assert.deepEqual(leaksOf(trial, { ...quiet(trial), routers: ['10.77.8.65'] }), [
    'has the router 10.77.8.65',
  ]);
  const lan = trialFor('lan');
  assert.deepEqual(leaksOf(lan, { ...quiet(lan), routers: ['10.77.8.65'] }), []);
});

test('a container that is not of the plan may reach nobody', () => {
  const trial = trialOf({ plan, service: undefined, hostAddresses: [] });
  assert.deepEqual(leaksOf(trial, answering(trial, '10.77.8.10:9050', 'opened')), [
    'reaches tor at 10.77.8.10:9050',
  ]);
});

test('a report of something else is refused', () => {
  const trial = trialFor('node');
  assert.throws(() => leaksOf(trial, { ...quiet(trial), dialled: [] }), RangeError);
});
