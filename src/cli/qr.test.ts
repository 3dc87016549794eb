import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { create } from 'qrcode';
import { test } from 'vitest';
import { terminalQr } from './qr.ts';

const TEXT = `${'a'.repeat(56)}.onion:50001:t`;

/** The modules that a scanner sees, quiet zone included. */
function modulesOf(drawn: string): boolean[][] {
  return stripVTControlCharacters(drawn)
    .split('\n')
    .flatMap((line) => [
      line.split('').map((half) => '▀█'.includes(half)),
      line.split('').map((half) => '▄█'.includes(half)),
    ]);
}

test('a code has every module of the text and four of white on each side', () => {
  const { modules } = create(TEXT, { errorCorrectionLevel: 'low' });
  const seen = modulesOf(terminalQr(TEXT));
  assert.ok(seen.length >= modules.size + 8);
  for (const [row, columns] of seen.entries()) {
    assert.equal(columns.length, modules.size + 8);
    for (const [column, isDark] of columns.entries()) {
      const [x, y] = [column - 4, row - 4];
      const isInside = Math.min(x, y) >= 0 && Math.max(x, y) < modules.size;
      assert.equal(isDark, isInside && modules.get(y, x) === 1, `${x} ${y}`);
    }
  }
});

test('a code is black on white on any terminal, and fits one of 80 by 24', () => {
  const lines = terminalQr(TEXT).split('\n');
  assert.ok(lines.length <= 24);
  for (const line of lines) {
    assert.ok(line.startsWith('\u001b[30;107m') && line.endsWith('\u001b[0m'));
    assert.ok(stripVTControlCharacters(line).length <= 80);
  }
});
