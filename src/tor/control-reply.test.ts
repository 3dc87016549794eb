import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { MalformedBytesError } from '../base/bytes.ts';
import {
  controlArguments,
  type ControlReply,
  ControlReplyParser,
  parseBootstrapPhase,
  parseCircuit,
} from './control-reply.ts';

function parse(lines: readonly string[]): ControlReply[] {
  const parser = new ControlReplyParser();
  return lines.map((line) => parser.push(line)).filter((reply) => reply !== undefined);
}

test('a reply of one line', () => {
  assert.deepEqual(parse(['250 OK']), [{ status: 250, lines: [{ text: 'OK' }] }]);
});

test('a reply of several lines, one of them with data', () => {
  const replies = parse(['250-a=1', '250+b=', 'first', '..dot', '', '.', '250 OK', '650 EVENT']);
  assert.deepEqual(replies, [
    {
      status: 250,
      lines: [{ text: 'a=1' }, { text: 'b=', data: ['first', '.dot', ''] }, { text: 'OK' }],
    },
    { status: 650, lines: [{ text: 'EVENT' }] },
  ]);
});

test('a line that is no reply is refused, as is a change of status within one', () => {
  for (const lines of [[''], ['OK'], ['250*OK'], ['250-a', '650 b']]) {
    assert.throws(() => parse(lines), MalformedBytesError);
  }
});

test('a reply without end is refused before it fills the memory', () => {
  const parser = new ControlReplyParser();
  const line = `250-${'x'.repeat(1024 * 1024)}`;
  assert.throws(() => {
    for (let i = 0; i < 5; i++) parser.push(line);
  }, MalformedBytesError);
});

test('noise throws only MalformedBytesError', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (lines) => {
      try {
        parse(lines);
      } catch (error) {
        assert.ok(error instanceof MalformedBytesError);
      }
    }),
  );
});

test('arguments may be quoted', () => {
  const found = controlArguments(
    String.raw`BOOTSTRAP PROGRESS=14 TAG=handshake SUMMARY="a \"b\" c=d \\" X=`,
  );
  assert.deepEqual(
    [...found],
    [
      ['PROGRESS', '14'],
      ['TAG', 'handshake'],
      ['SUMMARY', 'a "b" c=d \\'],
      ['X', ''],
    ],
  );
});

test('a bootstrap phase is read from GETINFO and from an event alike', () => {
  const phase = { percent: 14, tag: 'handshake', summary: 'Handshaking with a relay' };
  const text = 'NOTICE BOOTSTRAP PROGRESS=14 TAG=handshake SUMMARY="Handshaking with a relay"';
  assert.deepEqual(parseBootstrapPhase(text), phase);
  assert.deepEqual(parseBootstrapPhase(`STATUS_CLIENT ${text}`), phase);
  assert.equal(parseBootstrapPhase('STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED'), undefined);
});

test('a circuit is read with its purpose and hops', () => {
  const line = `23 BUILT $${'A'.repeat(40)}~a,$${'B'.repeat(40)}~b BUILD_FLAGS=IS_INTERNAL PURPOSE=HS_SERVICE_REND`;
  assert.deepEqual(parseCircuit(line), {
    id: 23,
    state: 'BUILT',
    purpose: 'HS_SERVICE_REND',
    hops: 2,
  });
  assert.deepEqual(parseCircuit('1 LAUNCHED'), {
    id: 1,
    state: 'LAUNCHED',
    purpose: undefined,
    hops: 0,
  });
  assert.throws(() => parseCircuit('noise'), MalformedBytesError);
});
