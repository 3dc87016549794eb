import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { TEST_TIME, testConsensus, testContent } from '../../test/test-directory.ts';
import { toBase64, toHex } from '../base/bytes.ts';
import {
  type ConsensusContent,
  type NodeFlag,
  parseConsensus,
  renderConsensus,
} from './consensus.ts';
import { DirectoryError } from './directory-error.ts';
import { deferPublicKey } from './public-key.ts';

const content = testContent();
const text = renderConsensus(content);
const nodeLines = text.split('\n').filter((line) => line.startsWith('node '));
const refusal = (code: string) => ({ name: 'DirectoryError', code });

/** What can be compared: everything but the functions. */
function comparable({ nodes, params, ...rest }: ConsensusContent): unknown {
  const { network, epoch, prev, validAfter, freshUntil, validUntil, log } = rest;
  return {
    ...{ network, epoch, prev, validAfter, freshUntil, validUntil, log },
    params: new Map([...params].sort()),
    nodes: nodes.map(({ replyKey, ...node }) => ({ ...node, replyKey: replyKey.bytes })),
  };
}

test('a consensus comes back as it was rendered', () => {
  const consensus = parseConsensus(text);
  assert.deepEqual(comparable(consensus), comparable(content));
  assert.equal(renderConsensus(consensus), text);
});

test('nodes are found by their ids', () => {
  const consensus = testConsensus();
  for (const node of consensus.nodes) assert.equal(consensus.node(node.nodeId), node);
  assert.equal(consensus.node('0'.repeat(32)), undefined);
});

test('a node line takes at most 400 bytes', () => {
  const [node] = content.nodes;
  assert.ok(node !== undefined);
  const largest = {
    ...node,
    weight: 2_100_000_000_000_000,
    flags: new Set(['Relay', 'Gateway', 'Running', 'Stable'] as const),
    onion: { ...node.onion, port: 65_535 },
  };
  const [line = ''] = /^node .*\n/m.exec(renderConsensus({ ...content, nodes: [largest] })) ?? [];
  assert.ok(line.length <= 400, `${line.length} bytes`);
  assert.ok(nodeLines.every((each) => each.length < 380));
});

const byLine = (pattern: RegExp, to: string) => text.replace(pattern, to);
test.each([
  ['another first line', byLine(/consensus\/1/, 'consensus/2')],
  ['no end of the last line', text.slice(0, -1)],
  ['trailing bytes', `${text}\n`],
  ['CRLF', text.replaceAll('\n', '\r\n')],
  ['an unknown line', `${text}weather fine\n`],
  ['lines out of order', byLine(/(epoch .*\n)(prev .*\n)/, '$2$1')],
  ['a line missing', byLine(/epoch .*\n/, '')],
  ['a line twice', byLine(/(epoch .*\n)/, '$1$1')],
  ['two spaces', byLine(/epoch /, 'epoch  ')],
  ['a space at the end of a line', byLine(/(epoch .*)/, '$1 ')],
  ['a leading zero', byLine(/epoch /, 'epoch 0')],
  ['a sign', byLine(/epoch /, 'epoch +')],
  ['an exponent', byLine(/epoch .*/, 'epoch 1e3')],
  ['a number that no double holds', byLine(/epoch .*/, 'epoch 9007199254740993')],
  ['an upper-case hash', byLine(/prev 0/, 'prev A')],
  ['a name of a network in capitals', byLine(/regtest/, 'Regtest')],
  ['times out of order', byLine(/fresh-until .*/, `fresh-until ${TEST_TIME}`)],
  ['more than 24 h of validity', byLine(/valid-until .*/, `valid-until ${TEST_TIME + 86_401}`)],
  ['parameters out of order', byLine(/params (\S+) (\S+)/, 'params $2 $1')],
  ['a parameter twice', byLine(/params (\S+)=(\S+)/, 'params $1=1 $1=2')],
  [
    '65 parameters',
    byLine(/params.*/, `params ${Array.from({ length: 65 }, (_, i) => `a${i + 100}=1`).join(' ')}`),
  ],
  ['nodes out of order', byLine(/(node .*\n)(node .*\n)/, '$2$1')],
  ['flags out of order', byLine(/Relay,Gateway/, 'Gateway,Relay')],
  ['a flag twice', byLine(/Relay,Gateway/, 'Relay,Relay')],
  ['an unknown flag', byLine(/Running/, 'Walking')],
  ['a node without flags', byLine(/ Relay\S* /, '  ')],
  ['a weight of more than all coins', byLine(/ 100 /, ' 2100000000000001 ')],
  ['a version 2 onion', byLine(/\S{56}\.onion/, 'abcdefghijklmnop.onion')],
  ['a host that is no onion', byLine(/\S{56}\.onion/, 'example.org')],
  ['port 65536', byLine(/:50010/, ':65536')],
  ['base64 with spare bits set', byLine(/.= 100/, 'B= 100')],
  ['base64url', byLine(/(node \S+ )./, '$1-')],
  ['a node line cut short', byLine(/ \S+\n$/, '\n')],
  ['a log line before the nodes', byLine(/(params.*\n)/, `$1log origin 1 ${'A'.repeat(43)}=\n`)],
])('a consensus with %s is refused', (_, changed) => {
  assert.notEqual(changed, text);
  assert.throws(() => parseConsensus(changed), refusal('malformed'));
});

test('key ids that do not follow one another are refused', () => {
  const [node] = content.nodes;
  assert.ok(node !== undefined);
  const { current, next } = node.keyConfigs;
  const swapped = { ...node, keyConfigs: { current: next, next: current } };
  assert.throws(() => renderConsensus({ ...content, nodes: [swapped] }), refusal('malformed'));
});

test('a node twice is refused with its own code', () => {
  const twice = text.replace(nodeLines[1] ?? '', `${nodeLines[1] ?? ''}\n${nodeLines[1] ?? ''}`);
  assert.throws(() => parseConsensus(twice), refusal('duplicate-node'));
});

test('more than 10,000 nodes are refused before they are read', () => {
  const many = text.replace(nodeLines[0] ?? '', Array(10_001).fill('node').join('\n'));
  assert.throws(() => parseConsensus(many), { code: 'malformed', message: 'too many nodes' });
});

const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes });
const anyNode = fc
  .record({
    id: hex(16),
    digest: hex(32),
    weight: fc.nat(),
    flags: fc.subarray<NodeFlag>(['Relay', 'Gateway', 'Running', 'Stable'], { minLength: 1 }),
    keyId: fc.nat({ max: 255 }),
    key: hex(40),
    port: fc.integer({ min: 1, max: 65_535 }),
    letters: fc.stringMatching(/^[a-z2-7]{55}$/),
  })
  .map(({ id, digest, weight, flags, keyId, key, port, letters }) => ({
    nodeId: toHex(id),
    descriptorDigest: digest,
    weight,
    flags: new Set(flags),
    family: toHex(id),
    onion: { host: `${letters}d.onion`, port },
    keyConfigs: {
      current: toBase64(Uint8Array.of(keyId, ...key)),
      next: toBase64(Uint8Array.of((keyId + 1) % 256, ...key.toReversed())),
    },
    replyKey: deferPublicKey(() => digest.toReversed()),
  }));
const anyContent = fc
  .record({
    epoch: fc.maxSafeNat(),
    prev: hex(32),
    validAfter: fc.nat(),
    params: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/), fc.nat()),
    nodes: fc.uniqueArray(anyNode, { selector: ({ nodeId }) => nodeId, maxLength: 5 }),
    log: fc.option(
      fc
        .record({ size: fc.nat(), root: hex(32) })
        .map((head) => ({ origin: 'sotto.test/log', ...head })),
      { nil: undefined },
    ),
  })
  .map(({ params, nodes, ...rest }) => ({
    ...rest,
    network: 'signet',
    freshUntil: rest.validAfter + 10,
    validUntil: rest.validAfter + 20,
    params: new Map(Object.entries(params)),
    nodes: nodes.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1)),
  }));

test('any content comes back, and its text is rendered again to the byte', () => {
  fc.assert(
    fc.property(anyContent, (any) => {
      const parsed = parseConsensus(renderConsensus(any));
      assert.deepEqual(comparable(parsed), comparable(any));
      assert.equal(renderConsensus(parsed), parsed.text);
    }),
    { numRuns: 50 },
  );
});

test('a changed text is refused, or is itself what its content renders to', () => {
  const at = fc.tuple(fc.nat({ max: text.length - 1 }), fc.stringMatching(/^[ -~\n]{0,2}$/));
  fc.assert(
    fc.property(at, ([index, noise]) => {
      const changed = text.slice(0, index) + noise + text.slice(index + 1);
      try {
        assert.equal(renderConsensus(parseConsensus(changed)), changed);
      } catch (error) {
        assert.ok(error instanceof DirectoryError);
      }
    }),
    { numRuns: 300 },
  );
});
