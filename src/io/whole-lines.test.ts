import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { test } from 'vitest';
import { fromUtf8, utf8 } from '../base/bytes.ts';
import { WholeLines } from './whole-lines.ts';

test('pieces that end anywhere come out as whole lines, nothing lost', () => {
  const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', '\n', 'é') }));
  fc.assert(
    fc.property(pieces, (texts) => {
      const lines = new WholeLines(10_000);
      const out = texts.map((text) => fromUtf8(lines.push(utf8(text))));
      for (const text of out) assert.ok(text === '' || text.endsWith('\n'));
      const all = texts.join('');
      const complete = all === '' || all.endsWith('\n') ? all : `${all}\n`;
      assert.equal(out.join('') + fromUtf8(lines.end()), complete);
    }),
  );
});

test('a line without end is cut, so that it does not fill the memory', () => {
  const lines = new WholeLines(10);
  assert.equal(lines.push(utf8('x'.repeat(10))).length, 0);
  assert.equal(fromUtf8(lines.push(utf8('x'))), `${'x'.repeat(11)}\n`);
  assert.equal(lines.end().length, 0);
});
