import assert from 'node:assert/strict';
import { test } from 'vitest';
import { CarriedCells } from './carried-cells.ts';

const RELAY = 'ab'.repeat(16);
const [ONE, TWO] = ['01'.repeat(16), '02'.repeat(16)] as const;

function afterCells(...cells: readonly (readonly [string, boolean])[]): boolean {
  const carried = new CarriedCells();
  for (const [family, wasCarried] of cells) {
    carried.note(RELAY, { family, carried: wasCarried });
  }
  return carried.isCarrying(RELAY);
}

test('a relay of which nothing is known carries cells', () => {
  assert.equal(afterCells(), true);
});

test('one that loses most of its cells does not, one that loses half of them does', () => {
  assert.equal(afterCells([ONE, false], [TWO, false]), false);
  assert.equal(afterCells([ONE, true], [ONE, false], [TWO, false]), false);
  assert.equal(afterCells([ONE, true], [ONE, false], [TWO, true], [TWO, false]), true);
});

test('gateways of one family cannot have a relay blamed', () => {
  assert.equal(afterCells([ONE, false], [ONE, false], [ONE, false], [ONE, false]), true);
});

test('what is long ago does not count', () => {
  const lost = [ONE, TWO, ONE, TWO, ONE, TWO].map((family) => [family, false] as const);
  const brought = [ONE, TWO, ONE, TWO].map((family) => [family, true] as const);
  assert.equal(afterCells(...lost), false);
  assert.equal(afterCells(...lost, ...brought), true);
  assert.equal(afterCells(...brought, ...brought, ...lost), false);
});

test('other relays are forgotten', () => {
  const carried = new CarriedCells();
  for (const family of [ONE, TWO]) carried.note(RELAY, { family, carried: false });
  carried.retain((relay) => relay !== RELAY);
  assert.equal(carried.isCarrying(RELAY), true);
});
