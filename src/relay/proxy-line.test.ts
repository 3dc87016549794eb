import assert from 'node:assert/strict';
import { test } from 'vitest';
import { streamPair } from '../../test/relay-fixtures.ts';
import { circuitOfProxyLine, readCircuit } from './proxy-line.ts';

const LINE = 'PROXY TCP6 fc00:dead:beef:4dad::0:28 ::1 40 80\r\n';

test('the circuit is the last 32 bits of the source address', () => {
  assert.equal(circuitOfProxyLine(LINE), 0x28);
  const high = 'PROXY TCP6 fc00:dead:beef:4dad::ffff:ffff ::1 65535 50010\r\n';
  assert.equal(circuitOfProxyLine(high), 0xffff_ffff);
});

test('a line that tor does not write names no circuit', () => {
  for (const line of [
    '',
    '\r\n',
    LINE.trimEnd(),
    LINE.replace('\r', ''),
    ` ${LINE}`,
    'PROXY UNKNOWN\r\n',
    'PROXY TCP4 127.0.0.1 127.0.0.1 40 80\r\n',
    'PROXY TCP6 fc00:dead:beef:4dae::0:28 ::1 40 80\r\n',
    'PROXY TCP6 fc00:dead:beef:4dad::0:12345 ::1 40 80\r\n',
  ]) {
    assert.equal(circuitOfProxyLine(line), undefined, line);
  }
});

test('what follows the line stays to be read, however the bytes are cut', async () => {
  for (const cut of [1, 5, LINE.length - 1, LINE.length, LINE.length + 3]) {
    const [near, far] = streamPair();
    const bytes = Buffer.from(`${LINE}hello`);
    const circuit = readCircuit(near, 1_000);
    far.write(bytes.subarray(0, cut));
    setImmediate(() => far.end(bytes.subarray(cut)));
    assert.equal(await circuit, 0x28);
    const rest: Buffer[] = [];
    for await (const chunk of near) rest.push(chunk as Buffer);
    assert.equal(Buffer.concat(rest).toString(), 'hello', `cut at ${cut}`);
  }
});

test('a stream whose first line is too long, wrong, cut off or late is destroyed', async () => {
  const [late] = streamPair();
  assert.equal(await readCircuit(late, 5), undefined);
  assert.equal(late.destroyed, true);
  for (const bytes of ['x'.repeat(200), 'GET / HTTP/1.1\r\n', `${'x'.repeat(120)}\n`]) {
    const [near, far] = streamPair();
    far.write(bytes);
    assert.equal(await readCircuit(near, 1_000), undefined);
    assert.equal(near.destroyed, true);
  }
  const [near, far] = streamPair();
  far.write('PROXY TCP6');
  setImmediate(() => far.destroy());
  assert.equal(await readCircuit(near, 1_000), undefined);
});
