import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { parseYaml } from '../config/load-yaml.ts';
import { type StackConfig, stackConfigSchema } from '../config/stack-config.ts';
import { renderStackConfig, withMembership } from './stack-config-text.ts';

function parse(text: string): StackConfig {
  return parseYaml({ path: 'sotto.yaml', text, schema: stackConfigSchema });
}

const PLAIN = { noNullPrototype: true } as const;
const path = fc.stringMatching(/^\/[\w. :;,=@%é-]{0,30}[\w*?&]$/);
const fields = {
  network: fc.constantFrom('mainnet', 'testnet4', 'signet', 'regtest'),
  target: fc.constantFrom('fulcrum', 'electrs'),
  backend: fc.constantFrom('docker', 'process'),
  storage: fc.option(path, { nil: undefined }),
  bitcoinData: fc.option(path, { nil: undefined }),
  openWallet: fc.boolean(),
  exposeLan: fc.option(fc.constant({ host: '192.168.1.5', port: 50_001 }), { nil: undefined }),
  memoryMib: fc.option(fc.integer({ min: 3328, max: 10 ** 6 }), { nil: undefined }),
  relay: fc.option(fc.record({ policy: path }, PLAIN), { nil: undefined }),
  bridge: fc.constantFrom(
    undefined,
    { lookup: 'direct', schedule: undefined } as const,
    { lookup: 'relayed', schedule: undefined } as const,
    { lookup: 'relayed', schedule: 'fast' } as const,
  ),
  testNetworkFile: fc.option(path, { nil: undefined }),
  docker: fc.constant({ project: 'mine-2', networkPrefix: '10.99.7' }),
  process: fc.record(
    {
      firstPort: fc.integer({ min: 1024, max: 60_000 }),
      programs: fc.option(fc.record({ electrs: path }, PLAIN), { nil: {} }),
    },
    PLAIN,
  ),
} satisfies Record<keyof StackConfig, unknown>;
const config = fc
  .record(fields, PLAIN)
  .filter(
    ({ bridge, openWallet, relay, memoryMib = Infinity }) =>
      bridge === undefined ||
      (!openWallet && memoryMib >= 3712 && (bridge.lookup === 'direct' || relay !== undefined)),
  );

test('what is written is read as it was', () => {
  fc.assert(
    fc.property(config, (wanted) => {
      assert.deepEqual(parse(renderStackConfig(wanted)), wanted);
    }),
  );
});

test('every example in the comments is a setting that would be accepted', () => {
  const text = renderStackConfig(parse('network: mainnet'));
  const uncommented = text.replaceAll(/^#(\w| {2})/gm, '$1');
  const parsed = parse(uncommented);
  const { storage, bitcoinData, exposeLan, memoryMib, relay, bridge, testNetworkFile } = parsed;
  for (const said of [storage, bitcoinData, exposeLan, memoryMib, relay, bridge, testNetworkFile]) {
    assert.ok(said !== undefined);
  }
});

test('another network to take part in changes nothing else that was written', () => {
  const text = '# mine\nnetwork: signet # for tests\n\nopen_wallet:   true\n';
  const joined = withMembership(text, { policy: '/etc/sotto/policy' });
  assert.match(joined, /^# mine\nnetwork: signet # for tests\n/);
  assert.deepEqual(parse(joined), { ...parse(text), relay: { policy: '/etc/sotto/policy' } });
  const relay = { policy: '/other', leave: true };
  assert.deepEqual(parse(withMembership(joined, relay)), { ...parse(text), relay });
  assert.equal(withMembership(joined, { policy: '/etc/sotto/policy' }), joined);
});

test('a bridge goes on asking whom it asked before its node joined or left', () => {
  const bridge = (text: string): unknown => parse(text).bridge?.lookup;
  const text = 'network: regtest\nbridge: {}\n';
  const joined = withMembership(text, { policy: '/p' });
  assert.deepEqual([bridge(text), bridge(joined)], ['direct', 'direct']);
  const since = `${text}relay: { policy: /p }\n`;
  const left = withMembership(since, { policy: '/p', leave: true });
  assert.deepEqual([bridge(since), bridge(left)], ['relayed', 'relayed']);
  const told = 'network: regtest\nbridge: { lookup: relayed }\n';
  assert.equal(bridge(withMembership(told, { policy: '/p' })), 'relayed');
});

test('a network is joined in what `sotto init` writes, too', () => {
  const text = renderStackConfig(parse('network: mainnet\n'));
  const joined = withMembership(text, { policy: '/p' });
  assert.deepEqual(parse(joined), { ...parse(text), relay: { policy: '/p' } });
  assert.ok(joined.startsWith(text.slice(0, 200)));
});
