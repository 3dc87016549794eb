import assert from 'node:assert/strict';
import { test } from 'vitest';
import { TEST_PROJECT, testContainer } from '../../../test/docker-container.ts';
import { testPlan } from '../../../test/server-plan.ts';
import type { Container, DockerNetwork } from '../docker/container.ts';
import type { ServiceName } from '../service.ts';
import { missingRestrictions, wrongPorts } from './judge-hardening.ts';
import { brokenNetworks, strayContainers } from './judge-networks.ts';

const plan = testPlan();
const edges = plan.edges;

function containerOf(service: ServiceName): Container {
  return testContainer({ service, edges });
}

function allContainers(): Container[] {
  return plan.services.map(({ name }) => containerOf(name));
}

function allNetworks(): DockerNetwork[] {
  return edges
    .filter(({ name }) => name !== 'lan')
    .map(({ name, subnet, internal }) => ({
      Id: `id-of-${TEST_PROJECT}_${name}`,
      Name: `${TEST_PROJECT}_${name}`,
      Driver: 'bridge',
      Internal: internal,
      EnableIPv6: false,
      IPAM: { Config: [{ Subnet: subnet }] },
      Options: internal ? { 'com.docker.network.bridge.inhibit_ipv4': 'true' } : null,
      Labels: { 'com.docker.compose.network': name },
      Containers: {},
    }));
}

function strays(change: (container: Container) => void, service: ServiceName = 'node'): unknown {
  const container = containerOf(service);
  change(container);
  return strayContainers(plan, [container]);
}

test('containers and networks as planned pass', () => {
  assert.deepEqual(strayContainers(plan, allContainers()), []);
  const containers = allContainers();
  assert.deepEqual(brokenNetworks({ plan, networks: allNetworks(), containers }), []);
  for (const container of containers) assert.deepEqual(missingRestrictions(plan, container), []);
  assert.deepEqual(wrongPorts(plan, containers), []);
});

test('a container on a network too many or too few, or with another address, is told', () => {
  const open = { NetworkID: 'id', IPAddress: '172.17.0.2', IPv6Gateway: '' };
  assert.deepEqual(
    strays(({ NetworkSettings: { Networks } }) => (Networks['bridge'] = open)),
    ['node is on the network bridge'],
  );
  assert.deepEqual(
    strays(({ NetworkSettings }) => {
      const others = Object.entries(NetworkSettings.Networks).filter(
        ([name]) => name !== `${TEST_PROJECT}_tor_node`,
      );
      NetworkSettings.Networks = Object.fromEntries(others);
    }),
    [`node is not on ${TEST_PROJECT}_tor_node`],
  );
  assert.deepEqual(
    strays(({ NetworkSettings: { Networks } }) => (Networks[`${TEST_PROJECT}_tor_node`] = open)),
    [`node has another address on ${TEST_PROJECT}_tor_node`],
  );
});

test('a container on the network of the machine, or with a network where it has none, is told', () => {
  const host = { NetworkID: 'id', IPAddress: '', IPv6Gateway: '' };
  const change = ({ HostConfig, NetworkSettings }: Container): void => {
    HostConfig.NetworkMode = 'host';
    NetworkSettings.Networks = { host };
  };
  assert.deepEqual(strays(change, 'watchdog'), [
    'watchdog is on the network host',
    'watchdog shares the network of host',
  ]);
});

test('a container that is not of the plan is told', () => {
  assert.deepEqual(strayContainers(plan, [containerOf('guard')]), [
    `${TEST_PROJECT}-guard-1 is not of this server`,
  ]);
});

test('each way in which a network may be broken is told', () => {
  const name = `${TEST_PROJECT}_tor_node`;
  const cases: readonly (readonly [Partial<DockerNetwork>, string])[] = [
    [{ Internal: false }, `${name} is not internal`],
    [{ Options: null }, `this machine is on ${name}`],
    [{ EnableIPv6: true }, `${name} has IPv6`],
    [{ Driver: 'macvlan' }, `${name} is a network of macvlan`],
    [{ IPAM: { Config: [{ Subnet: '10.0.0.0/8' }] } }, `${name} has other addresses`],
    [{ Labels: null }, `${name} is not of this server`],
    [{ Containers: { x: { Name: 'stranger' } } }, `stranger is on our network ${name}`],
  ];
  for (const [change, told] of cases) {
    const networks = allNetworks()
      .filter(({ Name }) => Name === name)
      .map((network) => ({ ...network, ...change }));
    assert.deepEqual(brokenNetworks({ plan, networks, containers: allContainers() }), [told]);
  }
});

test('each restriction that a container lacks is told', () => {
  const cases: readonly (readonly [(container: Container) => void, string])[] = [
    [({ HostConfig }) => (HostConfig.Privileged = true), 'is privileged'],
    [({ HostConfig }) => (HostConfig.ReadonlyRootfs = false), 'can write to its image'],
    [({ HostConfig }) => (HostConfig.CapDrop = null), 'keeps capabilities of root'],
    [({ HostConfig }) => (HostConfig.CapAdd = ['NET_ADMIN']), 'has capabilities added'],
    [({ HostConfig }) => (HostConfig.SecurityOpt = null), 'may gain privileges'],
    [({ HostConfig }) => HostConfig.SecurityOpt?.push('seccomp=unconfined'), 'runs unconfined'],
    [({ Config }) => (Config.User = ''), 'runs as root'],
    [({ HostConfig }) => (HostConfig.PidMode = 'host'), 'sees other processes'],
    [({ HostConfig }) => (HostConfig.IpcMode = 'host'), 'shares memory with others'],
    [({ HostConfig }) => (HostConfig.Devices = [{}]), 'has devices of this machine'],
    [({ HostConfig }) => (HostConfig.Memory = 0), 'has no memory limit'],
    [({ HostConfig }) => (HostConfig.Dns = ['1.1.1.1']), 'is told where to resolve names'],
    [
      ({ Mounts }) => Mounts.push({ Source: '/var/run/docker.sock', Destination: '/d', RW: false }),
      'rules the engine',
    ],
  ];
  for (const [change, told] of cases) {
    const container = containerOf('node');
    change(container);
    assert.deepEqual(missingRestrictions(plan, container), [told]);
  }
});

test('a port that leads to a container is told, but the one that was asked for', () => {
  const published = containerOf('node');
  published.HostConfig.PortBindings = { '50010/tcp': [{ HostIp: '', HostPort: '50010' }] };
  assert.deepEqual(wrongPorts(plan, [published]), ['0.0.0.0:50010 leads to node']);
  const exposed = testPlan({ exposeLan: { host: '192.168.1.5', port: 50_002 } });
  const lan = containerOf('lan');
  const asked = { '50001/tcp': [{ HostIp: '192.168.1.5', HostPort: '50002' }] };
  lan.HostConfig.PortBindings = asked;
  assert.deepEqual(wrongPorts(exposed, [lan]), []);
  lan.NetworkSettings.Ports = { '50001/tcp': [{ HostIp: '0.0.0.0', HostPort: '50002' }] };
  assert.deepEqual(wrongPorts(exposed, [lan]), ['0.0.0.0:50002 leads to lan']);
});
