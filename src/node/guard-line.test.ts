import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { type GuardedLine, readGuardedLine } from './guard-line.ts';

const HASH = 'ab'.repeat(32);
const MAX_BATCH = 3;

function read(value: unknown): GuardedLine {
  return readGuardedLine(JSON.stringify(value), MAX_BATCH);
}

/** What would be sent to the target. */
function passedOn(value: unknown): unknown {
  const line = read(value);
  assert.equal(line.kind, 'questions', JSON.stringify(line));
  return JSON.parse(line.text);
}

function codesOf(line: GuardedLine): unknown {
  assert.equal(line.kind, 'refused');
  const reply: unknown = JSON.parse(line.reply);
  const codeOf = (each: unknown): number => (each as { error: { code: number } }).error.code;
  return Array.isArray(reply) ? reply.map(codeOf) : codeOf(reply);
}

test('a request passes as it was understood, with its own id, by position', () => {
  const method = 'blockchain.scripthash.subscribe';
  for (const params of [[HASH], { scripthash: HASH }]) {
    for (const id of [0, -1.5, 'seven']) {
      const request = { jsonrpc: '2.0', method, params, id };
      assert.deepEqual(passedOn(request), { ...request, params: [HASH] });
    }
  }
});

test('what was left out stays left out, for a server that does not know it', () => {
  const paramsOf = (method: string, params?: unknown): unknown =>
    (passedOn({ method, params, id: 1 }) as { params: unknown }).params;
  assert.deepEqual(paramsOf('server.ping'), []);
  assert.deepEqual(paramsOf('blockchain.block.header', [7]), [7]);
  assert.deepEqual(paramsOf('blockchain.block.header', { cp_height: 9, height: 7 }), [7, 9]);
});

test('what the method does not know is left out', () => {
  const extra = { deep: ['x'.repeat(100)] };
  const known = { jsonrpc: '2.0', method: 'blockchain.scripthash.get_history', id: 1 };
  const expected = { ...known, params: [HASH] };
  assert.deepEqual(passedOn({ ...known, params: [HASH, extra], extra }), expected);
  assert.deepEqual(passedOn({ ...known, params: { scripthash: HASH, extra } }), expected);
});

test('of two members with one name, the one that was checked is the one that passes', () => {
  const line = readGuardedLine('{"method":"server.add_peer","method":"server.ping","id":1}', 1);
  assert.ok(line.kind === 'questions' && !line.text.includes('add_peer'));
});

test('methods that are not of the protocol are unknown here', () => {
  const methods = ['server.add_peer', 'daemon.passthrough', 'getblock', '__proto__', 'toString'];
  for (const method of [...methods, 'blockchain.address.get_balance']) {
    const line = read({ method, params: [{}], id: 1 });
    assert.equal(codesOf(line), -32_601, method);
    assert.ok(line.kind === 'refused' && !line.isMistake);
  }
});

test('parameters that are not well-formed are refused here', () => {
  for (const params of [[], ['xyz'], [HASH.toUpperCase()], [[HASH]], 'abc', 7]) {
    const line = read({ method: 'blockchain.scripthash.get_history', params, id: 1 });
    assert.equal(codesOf(line), -32_602, JSON.stringify(params));
  }
});

test('lines that no client of the protocol sends are mistakes', () => {
  const method = 'server.ping';
  const lines: readonly [string, number][] = [
    ['', -32_700],
    ['{', -32_700],
    ['7', -32_600],
    [JSON.stringify({ id: 1 }), -32_600],
    [JSON.stringify({ method }), -32_600],
    [JSON.stringify({ method, id: null }), -32_600],
    [JSON.stringify({ method, id: 'x'.repeat(257) }), -32_600],
    ['[]', -32_600],
    [JSON.stringify(Array.from({ length: MAX_BATCH + 1 }, (_, id) => ({ method, id }))), -32_600],
  ];
  for (const [text, code] of lines) {
    const line = readGuardedLine(text, MAX_BATCH);
    assert.equal(codesOf(line), code, text);
    assert.ok(line.kind === 'refused' && line.isMistake, text);
  }
});

test('a batch passes whole, or each of its requests is answered with an error', () => {
  const ping = { method: 'server.ping', params: [], id: 1 };
  const watch = { method: 'blockchain.scripthash.subscribe', params: [HASH], id: 2 };
  const line = read([ping, watch]);
  assert.ok(line.kind === 'questions');
  assert.deepEqual(
    line.questions.map(({ id, script }) => [id, script]),
    [
      [1, undefined],
      [2, HASH],
    ],
  );
  const refused = read([ping, { ...ping, method: 'server.add_peer', id: 3 }]);
  assert.deepEqual(codesOf(refused), [-32_600, -32_601]);
  assert.ok(refused.kind === 'refused' && refused.requests === 2);
});

test('deep nesting is refused like other noise', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  for (const text of [
    deep,
    `{"method":"server.ping","id":1,"params":${deep}}`,
    `{"method":"server.ping","id":${deep}}`,
  ]) {
    readGuardedLine(text, MAX_BATCH);
  }
});

test('no noise makes it throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      readGuardedLine(text, MAX_BATCH);
    }),
  );
});
