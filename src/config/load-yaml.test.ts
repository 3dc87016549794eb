import assert from 'node:assert/strict';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { loadYaml, parseYaml } from './load-yaml.ts';
import { type StackConfig, stackConfigSchema } from './stack-config.ts';

function parse(text: string): StackConfig {
  return parseYaml({ path: 'sotto.yaml', text, schema: stackConfigSchema });
}

function problemsOf(text: string): readonly string[] {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof UserError);
    assert.equal(error.message, 'sotto.yaml has problems');
    return error.hint?.split('\n') ?? [];
  }
  assert.fail('it was accepted');
}

test('a network is all that has to be said', () => {
  assert.deepEqual(parse('network: signet # to try it\n'), {
    network: 'signet',
    target: 'fulcrum',
    backend: 'docker',
    storage: undefined,
    bitcoinData: undefined,
    openWallet: false,
    exposeLan: undefined,
    memoryMib: undefined,
    bridge: undefined,
    relay: undefined,
    testNetworkFile: undefined,
    docker: { project: 'sotto', networkPrefix: '10.213.50' },
    process: { firstPort: 29_050, programs: {} },
  });
});

test('every problem is told at once, each with the line that it is in', () => {
  const text = `network: mainet
target: fulcrum

storage: disk
colour: green
relay:
  leave: true
expose_lan: localhost
docker:
  project: sotto
  network_prefix: 8.8.8
  subnet: 1
`;
  const lines = problemsOf(text);
  const placed = (line: number, text: string): boolean =>
    lines.some((each) => each.startsWith(`line ${line}: ${text}`));
  assert.ok(placed(1, 'network: '), 'a value out of a list');
  assert.ok(placed(4, 'storage: expected an absolute path'), 'a relative path');
  assert.ok(placed(5, 'colour: there is no such setting'), 'an unknown key');
  assert.ok(placed(6, 'relay.policy: '), 'what is missing, at what it is missing from');
  assert.ok(placed(8, 'expose_lan: expected host:port'), 'an address');
  assert.ok(placed(11, 'docker.network_prefix: expected'), 'a value further in');
  assert.ok(placed(12, 'docker.subnet: there is no such setting'), 'an unknown key further in');
  assert.equal(lines.length, 7);
});

test('what contradicts another setting is told with all the rest', () => {
  assert.deepEqual(
    problemsOf('network: signet\ntarget: devnet\nbitcoin_data: /b\nopen_wallet: 1'),
    [
      'line 2: target: devnet serves regtest only',
      'line 3: bitcoin_data: devnet has no bitcoind to use it',
      'line 4: open_wallet: Invalid input: expected boolean, received number',
    ],
  );
});

test('a bridge asks the network that the node takes part in, else the own server', () => {
  const relay = 'relay: { policy: /p }\n';
  const lookupOf = (text: string): unknown => parse(`network: signet\n${text}`).bridge?.lookup;
  assert.equal(lookupOf(relay), undefined);
  assert.equal(lookupOf('bridge: {}'), 'direct');
  assert.equal(lookupOf(`${relay}bridge: {}`), 'relayed');
  assert.equal(lookupOf(`${relay}bridge: { lookup: direct }`), 'direct');
});

test('a bridge without its network, for strangers or without memory is refused', () => {
  assert.deepEqual(
    problemsOf(
      'network: signet\nbridge: { lookup: relayed }\nopen_wallet: true\nmemory_mib: 3500',
    ).map((line) => line.replace(/^(line \d: [^:]+):.*/, '$1')),
    ['line 2: bridge.lookup', 'line 3: open_wallet', 'line 4: memory_mib'],
  );
});

test('a schedule is for a bridge that asks the network', () => {
  const [problem] = problemsOf('network: signet\nbridge: { schedule: fast }');
  assert.match(problem ?? '', /^line 2: bridge\.schedule: /);
});

test('text that is not YAML is told with its lines, and not looked at further', () => {
  const lines = problemsOf('network: signet\nnetwork: mainnet\ntor: {\n');
  assert.match(lines[0] ?? '', /^line 2: .*unique/);
  assert.match(lines.at(-1) ?? '', /^line [34]: /);
});

test.each([
  ['nothing at all', '', 'line 1: network: '],
  ['a list', '- network\n', 'line 1: '],
  ['a word', 'mainnet', 'line 1: '],
  ['an alias', 'network: &a signet\ntarget: *a\n', 'line 2: '],
  ['a tag', 'network: !!js/function signet\n', 'line 1: '],
  ['two documents', 'network: signet\n---\nnetwork: mainnet\n', 'line 2: '],
])('%s is refused with a line', (_, text, expected) => {
  const [first = ''] = problemsOf(text);
  assert.ok(first.startsWith(expected), first);
});

test.each(['disk', '/a\nb', '/a#b', "/a'b", '/a\\b', '/a$b', '/a '])('%j is no path', (path) => {
  assert.match(problemsOf(`network: signet\nstorage: ${JSON.stringify(path)}`).join(), /^line 2: /);
});

test.each([
  ['10.0.0', true],
  ['10.213.50', true],
  ['172.31.255', true],
  ['192.168.7', true],
  ['10.300.5', false],
  ['172.32.0', false],
  ['192.168.256', false],
  ['8.8.8', false],
  ['10.0.0.0', false],
  ['10.01.0', false],
])('%s as the prefix of private addresses: %s', (prefix, isOne) => {
  const text = `network: signet\ndocker: { network_prefix: ${prefix} }`;
  if (isOne) assert.equal(parse(text).docker.networkPrefix, prefix);
  else assert.match(problemsOf(text).join(), /^line 2: docker\.network_prefix: /);
});

test('a file that is not there is an error of the person', async () => {
  await assert.rejects(loadYaml('/nowhere/sotto.yaml', stackConfigSchema), UserError);
});
