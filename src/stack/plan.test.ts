import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseYaml } from '../config/load-yaml.ts';
import { stackConfigSchema } from '../config/stack-config.ts';
import { onionAddressOf } from '../tor/onion-address.ts';
import { renderEnvironment } from './environment.ts';
import { homeAt } from './home.ts';
import { makePlan, type Plan } from './plan.ts';
import type { PlanFacts } from './plan-context.ts';
import { rpcUser } from './rpc-user.ts';

const GOLDEN = new URL('../../test/golden/', import.meta.url);

const onion = (fill: number): string => onionAddressOf(new Uint8Array(32).fill(fill));

function planOf(yaml: string, facts: Partial<PlanFacts> = {}): Plan {
  return makePlan({
    config: parseYaml({ path: 'sotto.yaml', text: yaml, schema: stackConfigSchema }),
    home: homeAt('/home/me/server'),
    facts: {
      uid: 1000,
      gid: 1000,
      memoryMiB: 8192,
      onions: { wallet: onion(1), relay: onion(2), p2p: onion(3) },
      targetRpc: rpcUser({ name: 'target', password: '5e'.repeat(32), salt: 'a1'.repeat(16) }),
      initialSyncDone: true,
      images: { tor: 'tor:1', bitcoind: 'bitcoind:1', target: 'target:1', node: 'node:1' },
      policy: 'a policy\n',
      ...facts,
    },
  });
}

/** Each rendered file under its path in the home, and how its service is started. */
function describe({ services, environment }: Plan): string {
  return [
    ...services.flatMap(({ name, command, files }) => [
      `==> ${name}: ${command.join(' ')}\n`,
      ...files.map((file) => `==> config/${name}/${file.name}\n${file.text.trimEnd()}\n`),
    ]),
    `==> .env\n${renderEnvironment(environment)}`,
  ].join('\n');
}

const EVERYTHING = `open_wallet: true
expose_lan: 192.168.1.5:50001
storage: /mnt/disk
bitcoin_data: /mnt/old disk/bitcoin
memory_mib: 16384
relay: { policy: /etc/sotto/policy }
docker: { project: mine, network_prefix: 192.168.77 }
process: { first_port: 40000 }
`;

const BRIDGE = `expose_lan: 192.168.1.5:50001
relay: { policy: /etc/sotto/policy }
bridge: { schedule: fast }
`;

const MORE = {
  everything: { target: 'fulcrum', network: 'mainnet', more: EVERYTHING },
  'relayed-bridge': { target: 'fulcrum', network: 'mainnet', more: BRIDGE },
  'direct-bridge': { target: 'devnet', network: 'regtest', more: 'bridge: {}\n' },
} as const;

const networks = ['mainnet', 'testnet4', 'signet', 'regtest'] as const;
const backends = ['docker', 'process'] as const;
const cases = [
  ...networks.flatMap((network) =>
    (['fulcrum', 'electrs'] as const).flatMap((target) =>
      backends.map((backend) => ({ network, target, backend, title: '', more: '' })),
    ),
  ),
  ...backends.map((backend) => ({
    network: 'regtest' as const,
    target: 'devnet' as const,
    backend,
    title: '',
    more: '',
  })),
  ...Object.entries(MORE).flatMap(([title, each]) =>
    backends.map((backend) => ({ ...each, backend, title: `-${title}` })),
  ),
].map((each) => {
  const { network, target, backend, title, more } = each;
  const name = `${network}-${target}-${backend}${title}.txt`;
  const yaml = `network: ${network}\ntarget: ${target}\nbackend: ${backend}\n${more}`;
  return { ...each, name, yaml };
});

test.each(cases)('the plan of $name is as it was', async ({ name, yaml }) => {
  await expect(describe(planOf(yaml))).toMatchFileSnapshot(new URL(name, GOLDEN).pathname);
});

test('there is no golden file without a plan', () => {
  assert.deepEqual(readdirSync(GOLDEN).sort(), cases.map(({ name }) => name).sort());
});

test.each(cases)('in $name no two listeners share a port, and none is on all addresses', (each) => {
  const { services, endpoints, config } = planOf(each.yaml);
  const listens = services.flatMap((service) => service.listens.map(({ address }) => address));
  const inDocker = config.backend === 'docker';
  const texts = services.flatMap(({ name, listens: own }) =>
    own.map(({ address: { host, port } }) => `${inDocker ? name : ''} ${host}:${port}`),
  );
  assert.equal(new Set(texts).size, texts.length);
  for (const { host, port } of listens) {
    // In their containers these have an address on each of their networks, all of them internal.
    const everywhere = [endpoints.targetListen, endpoints.bridgeListen];
    const mayBe = everywhere.some((each) => each.host === host && each.port === port);
    assert.ok(host !== '0.0.0.0' || (mayBe && inDocker));
  }
});

test.each(cases)('in $name every edge is between services that talk', ({ yaml }) => {
  const { services, edges, config } = planOf(yaml);
  // In compose.yaml, which is one for all, these stay neighbours when another is between them.
  const idle = [
    ...(config.openWallet ? ['tor_target'] : []),
    ...(config.bridge ? ['tor_target', 'lan_target'] : []),
    ...(config.bridge?.lookup === 'relayed' ? ['bridge_target'] : []),
  ];
  for (const { name, members, internal } of edges) {
    const [first, second] = Object.keys(members);
    assert.equal(internal, name !== 'egress' && name !== 'lan', name);
    if (second === undefined) continue;
    const reach = (from?: string, to?: string): boolean =>
      services.some((each) => each.name === from && each.reaches.some((other) => other === to));
    const talk = reach(first, second) || reach(second, first);
    assert.ok(talk || idle.includes(name), name);
  }
});

test.each(cases)('in $name the password is in one file, and in no command or variable', (each) => {
  const { services, environment } = planOf(each.yaml);
  const secret = '5e'.repeat(32);
  const holders = services.flatMap(({ files }) =>
    files.filter(({ text }) => text.includes(secret)).map(({ name }) => name),
  );
  assert.deepEqual(holders, each.target === 'devnet' ? [] : ['rpc-cookie']);
  assert.ok(!JSON.stringify(environment).includes(secret));
  assert.ok(!services.some(({ command }) => command.join(' ').includes(secret)));
});

test('with Docker no rendered file names a path of this machine', () => {
  for (const { yaml, backend } of cases) {
    if (backend !== 'docker') continue;
    for (const { files, command } of planOf(yaml).services) {
      for (const { text } of files) assert.doesNotMatch(text, /\/home\/me|\/mnt|\/etc/);
      assert.doesNotMatch(command.join(' '), /\/home\/me/);
    }
  }
});

test('an open wallet onion goes to the guard, from a directory that devices do not have', () => {
  const torrcOf = (yaml: string): string =>
    planOf(yaml).services.find(({ name }) => name === 'tor')?.files[0]?.text ?? '';
  const closed = torrcOf('network: mainnet');
  const open = torrcOf('network: mainnet\nopen_wallet: true');
  assert.match(closed, /HiddenServiceDir \/data\/onions\/wallet\nHiddenServicePort 50001 \S+\.19:/);
  assert.match(
    open,
    /HiddenServiceDir \/data\/onions\/open-wallet\nHiddenServicePort 50001 \S+\.51:50001\nHiddenServiceExportCircuitID haproxy\n/,
  );
});

test('with a bridge no wallet reaches the target, and relayed neither does the bridge', () => {
  const more = 'expose_lan: 192.168.1.5:50001\nrelay: { policy: /p }\n';
  const reachedBy = (yaml: string): Record<string, readonly string[]> =>
    Object.fromEntries(planOf(yaml).services.map(({ name, reaches }) => [name, reaches]));
  const direct = reachedBy(`network: mainnet\n${more}bridge: { lookup: direct }`);
  const relayed = reachedBy(`network: mainnet\n${more}bridge: {}`);
  for (const { tor, lan } of [direct, relayed]) {
    assert.deepEqual(tor, ['bitcoind', 'bridge', 'node']);
    assert.deepEqual(lan, ['bridge']);
  }
  assert.deepEqual(direct['bridge'], ['target']);
  assert.deepEqual(relayed['bridge'], ['tor']);
  const relayedPlan = planOf(`network: mainnet\n${more}bridge: {}`);
  const torrc = relayedPlan.services.find(({ name }) => name === 'tor')?.files[0]?.text ?? '';
  assert.match(
    torrc,
    /HiddenServiceDir \/data\/onions\/wallet\nHiddenServicePort 50001 \S+\.83:50001\n/,
  );
  assert.match(torrc, /^SocksPort \S+\.82:9050 OnionTrafficOnly/m);
});

test('a node whose policy is all it has fetches its consensuses, and leaves when it is told to', () => {
  const nodeOf = (relay: string): unknown => {
    const { services } = planOf(`network: mainnet\nrelay: ${relay}\n`);
    const files = services.find(({ name }) => name === 'node')?.files ?? [];
    return JSON.parse(files.find(({ name }) => name === 'node.json')?.text ?? '');
  };
  const settings = { policyFile: '/config/policy', network: 'mainnet' };
  const pick = ({ network, policyFile, leave }: Record<string, unknown>) => ({
    network,
    policyFile,
    ...(leave !== undefined && { leave }),
  });
  const read = (relay: string) => pick(nodeOf(relay) as Record<string, unknown>);
  assert.deepEqual(read('{ policy: /p }'), settings);
  const bonded = planOf('network: mainnet\nrelay: { policy: /p, bond: /b }\n', {
    bond: 'a bond\n',
  });
  const files = bonded.services.find(({ name }) => name === 'node')?.files ?? [];
  assert.equal(files.find(({ name }) => name === 'bond')?.text, 'a bond\n');
  assert.match(files[0]?.text ?? '', /"bondFile": "\/config\/bond"/);
  assert.deepEqual(read('{ policy: /p, leave: true }'), { ...settings, leave: true });
});

test('on a private Tor network tor knows its authorities, and no others', () => {
  const authority = {
    nickname: 'one',
    host: '10.1.2.3',
    orPort: 5000,
    dirPort: 5001,
    v3Ident: 'A'.repeat(40),
    fingerprint: 'B'.repeat(40),
  };
  const { services } = planOf('network: regtest', { torAuthorities: [authority] });
  const torrc = services.find(({ name }) => name === 'tor')?.files[0]?.text ?? '';
  assert.match(torrc, /^TestingTorNetwork 1$/m);
  assert.deepEqual(torrc.match(/^DirAuthority .*$/gm), [
    `DirAuthority one orport=5000 no-v2 v3ident=${'A'.repeat(40)} 10.1.2.3:5001 ${'B'.repeat(40)}`,
  ]);
});

test('another machine or another password changes no addresses, and the variables tell of it', () => {
  const before = planOf('network: mainnet');
  const targetRpc = rpcUser({ name: 'target', password: '77'.repeat(32), salt: 'a1'.repeat(16) });
  const after = planOf('network: mainnet', { memoryMiB: 65_536, targetRpc });
  assert.deepEqual(after.endpoints, before.endpoints);
  const changed = Object.keys(before.environment).filter(
    (name) => after.environment[name] !== before.environment[name],
  );
  // compose starts these two anew.
  assert.deepEqual(changed, ['SOTTO_TARGET_MEMORY', 'SOTTO_BITCOIND_FILES', 'SOTTO_TARGET_FILES']);
});
