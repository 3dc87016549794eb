import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { StackConfig } from '../src/config/stack-config.ts';
import { renderEnvironment } from '../src/stack/environment.ts';
import { homeAt } from '../src/stack/home.ts';
import { imagesOf } from '../src/stack/images.ts';
import { makePlan, type Plan } from '../src/stack/plan.ts';
import type { ServiceSpec } from '../src/stack/service.ts';
import { askCompose, type ComposeFile, readComposeFile } from './compose-file.ts';

const HOME = '/srv/sotto';
const base: StackConfig = {
  network: 'mainnet',
  target: 'fulcrum',
  backend: 'docker',
  openWallet: false,
  docker: { project: 'sotto-drift', networkPrefix: '10.77.8' },
  process: { firstPort: 29_050, programs: {} },
};

const CONFIGS: Readonly<Record<string, StackConfig>> = {
  'Fulcrum, as init suggests': base,
  'electrs on another disk, open, in the local network, with a relay': {
    ...base,
    network: 'testnet4',
    target: 'electrs',
    openWallet: true,
    storage: '/mnt/disk',
    bitcoinData: '/mnt/old disk/bitcoin',
    exposeLan: { host: '192.168.1.5', port: 50_002 },
    relay: { policy: '/etc/sotto/policy' },
  },
  'a bridge that asks the network, in the local network too': {
    ...base,
    exposeLan: { host: '192.168.1.5', port: 50_002 },
    relay: { policy: '/etc/sotto/policy' },
    bridge: { lookup: 'relayed', schedule: 'fast' },
  },
  'the devnet with a bridge': {
    ...base,
    network: 'regtest',
    target: 'devnet',
    bridge: { lookup: 'direct' },
  },
  'the devnet': { ...base, network: 'regtest', target: 'devnet' },
};

async function planOf(config: StackConfig): Promise<Plan> {
  const onion = `${'a'.repeat(56)}.onion`;
  return makePlan({
    config,
    home: homeAt(HOME),
    facts: {
      uid: 1234,
      gid: 567,
      memoryMiB: 8192,
      onions: { wallet: onion, relay: onion, p2p: onion },
      targetRpc: { name: 'target', password: 'p', salt: '00', hmac: '00' },
      initialSyncDone: false,
      images: await imagesOf(config.target, {}),
      policy: 'a policy\n',
    },
  });
}

for (const [title, config] of Object.entries(CONFIGS)) {
  test(`compose.yaml is what the plan says: ${title}`, async () => {
    const plan = await planOf(config);
    compare(readComposeFile(plan.environment, HOME), plan);
  });

  test(`docker compose reads it the same way, without a complaint: ${title}`, async (context) => {
    const plan = await planOf(config);
    const asked = askCompose(renderEnvironment(plan.environment), HOME);
    if (asked === undefined) return context.skip('there is no docker compose');
    assert.equal(asked.complaints, '');
    compare(asked.file, plan);
  });
}

test('without any .env compose.yaml is still whole', (context) => {
  const asked = askCompose('', HOME);
  if (asked === undefined) return context.skip('there is no docker compose');
  assert.equal(asked.complaints, '');
});

function compare(file: ComposeFile, plan: Plan): void {
  const names = plan.services.map(({ name }) => name);
  assert.deepEqual(Object.keys(file.services).sort(), [...names].sort());
  for (const service of plan.services) compareService(file, { plan, service });
  compareNetworks(file, plan);
}

function compareService(
  file: ComposeFile,
  { plan, service }: { readonly plan: Plan; readonly service: ServiceSpec },
): void {
  const { name } = service;
  const { config, images, user, edges, home } = plan;
  const found = file.services[name];
  assert.ok(found);
  const image = name === 'tor' || name === 'bitcoind' || name === 'target' ? name : 'node';
  assert.equal(found.image, images[image], name);
  assert.deepEqual(found.command, service.command, name);
  // tor's image looks after the keys of devices first; all others start nothing but the command.
  assert.deepEqual(found.entrypoint, name === 'tor' ? undefined : [], name);
  assert.equal(found.user, `${user.uid}:${user.gid}`, name);
  assert.equal(found.memoryMiB, service.memoryMiB, name);
  assert.ok(found.stopSeconds >= service.stopSeconds, name);
  const { '/config': configMount, '/data': dataMount, ...others } = found.mounts;
  assert.equal(
    configMount,
    service.files.length > 0 || configMount ? `${home.config(name)} (ro)` : undefined,
    name,
  );
  assert.equal(dataMount, service.dataDirectory, name);
  assert.deepEqual(others, {}, name);
  assert.deepEqual(
    found.ports,
    name === 'lan' && config.exposeLan
      ? [`${config.exposeLan.host}:${config.exposeLan.port}:50001`]
      : [],
    name,
  );
  const planned = edges.flatMap(({ name: edge, members }) =>
    members[name] === undefined ? [] : [[edge, members[name]] as const],
  );
  assert.deepEqual(found.networks, Object.fromEntries(planned), name);
  for (const { address } of service.listens) {
    if (address.host === '0.0.0.0') continue;
    assert.ok(Object.values(found.networks).includes(address.host), `${name} ${address.host}`);
  }
  compareHardening(found.raw, name);
}

function compareHardening(raw: Readonly<Record<string, unknown>>, name: string): void {
  const {
    read_only,
    cap_drop,
    cap_add,
    security_opt,
    privileged,
    restart,
    init,
    dns,
    healthcheck,
  } = raw;
  assert.equal(read_only, true, name);
  assert.deepEqual(cap_drop, ['ALL'], name);
  assert.equal(cap_add, undefined, name);
  assert.deepEqual(security_opt, ['no-new-privileges:true'], name);
  assert.equal(privileged, undefined, name);
  assert.equal(restart, 'unless-stopped', name);
  assert.equal(init, true, name);
  assert.deepEqual(dns, ['127.213.0.53'], name);
  assert.equal(raw['environment'], undefined, name);
  assert.equal((raw['logging'] as { driver: string }).driver, 'json-file', name);
  assert.equal((raw['labels'] as Record<string, string>)['sotto.project'], 'sotto-drift', name);
  // tor's image brings its own.
  assert.equal(healthcheck === undefined, name === 'tor', name);
  assert.equal(raw['network_mode'], name === 'watchdog' ? 'none' : undefined, name);
}

function compareNetworks(file: ComposeFile, { edges }: Plan): void {
  for (const { name, subnet, internal, members } of edges) {
    const found = file.networks[name];
    assert.ok(found, name);
    assert.equal(found.subnet, subnet, name);
    assert.equal(found.internal, internal, name);
    assert.deepEqual(membersOf(file, name).sort(), Object.keys(members).sort(), name);
  }
  for (const [name, { internal, options }] of Object.entries(file.networks)) {
    const isOpen = name === 'egress' || name === 'lan';
    assert.equal(internal, !isOpen, name);
    // The host itself is not on it, so that its own services cannot be reached.
    if (!isOpen) assert.equal(options['com.docker.network.bridge.inhibit_ipv4'], 'true', name);
  }
}

function membersOf({ services }: ComposeFile, network: string): string[] {
  return Object.keys(services).filter((name) => services[name]?.networks[network] !== undefined);
}
