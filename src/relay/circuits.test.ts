import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Circuits } from './circuits.ts';
import { DEFAULT_RELAY_LIMITS } from './relay-limits.ts';

function circuitsOf(limits: Partial<typeof DEFAULT_RELAY_LIMITS>, clock = () => 0): Circuits {
  return new Circuits({ ...DEFAULT_RELAY_LIMITS, ...limits }, clock);
}

test('a circuit has 600 cells in 10 minutes, over all its links', () => {
  let now = 0;
  const circuits = circuitsOf({}, () => now);
  const first = circuits.enter('1');
  const second = circuits.enter('1');
  assert.ok(first !== undefined && first === second);
  for (let cell = 0; cell < 600; cell++) assert.equal(first.forwards.cells.take(), true);
  assert.equal(first.forwards.cells.take(), false);
  now += 1_000;
  assert.equal(first.forwards.cells.take(), true);
  assert.equal(first.forwards.cells.take(), false);
  assert.equal(circuits.enter('2')?.forwards.cells.take(), true);
});

test('closing a link and opening it again does not renew the quota', () => {
  const circuits = circuitsOf({ cellsPerCircuit: 1 });
  const circuit = circuits.enter('1');
  assert.ok(circuit);
  assert.equal(circuit.forwards.cells.take(), true);
  circuits.leave(circuit);
  assert.equal(circuits.enter('1')?.forwards.cells.take(), false);
});

test('a relay that connects again has no new quota of the gateway', () => {
  const circuits = circuitsOf({ gatewayQuota: { cellsPerSecond: 1, burst: 1 } });
  const circuit = circuits.enter('1');
  assert.equal(circuit?.relayed.cells.take(), true);
  circuits.leave(circuit);
  assert.equal(circuits.enter('1')?.relayed.cells.take(), false);
  assert.equal(circuits.enter('2')?.relayed.cells.take(), true);
});

test('a circuit has a bounded number of links', () => {
  const circuits = circuitsOf({ linksPerCircuit: 2 });
  const circuit = circuits.enter('1');
  assert.ok(circuit);
  circuits.enter('1');
  assert.equal(circuits.enter('1'), undefined);
  circuits.leave(circuit);
  assert.equal(circuits.enter('1'), circuit);
});

test('when there are too many circuits, the one longest closed is forgotten and none that is open', () => {
  const circuits = circuitsOf({ circuits: 3, cellsPerCircuit: 1 });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => circuits.enter(name));
  assert.ok(a && b && c);
  assert.equal(circuits.enter('d'), undefined);
  b.forwards.cells.take();
  a.forwards.cells.take();
  circuits.leave(b);
  circuits.leave(a);
  assert.ok(circuits.enter('d'));
  assert.equal(circuits.enter('a')?.forwards.cells.take(), false, 'a is remembered');
  circuits.leave(c);
  assert.equal(circuits.enter('b')?.forwards.cells.take(), true, 'b was forgotten');
});
