import assert from 'node:assert/strict';
import { test } from 'vitest';
import { testBond } from '../../test/test-bond.ts';
import { parseBondFile, renderBondFile } from './bond-file.ts';

const nodeId = 'dced38f3ccc06fc6f92732ada32e1162';
const { bond, proof } = testBond({ nodeId });
const file = renderBondFile({ nodeId, bond, proof });

test('the file of a bond comes back as it was', () => {
  assert.deepEqual(parseBondFile(file), { nodeId, bond, proof });
});

test('any other text is refused', () => {
  const bad = [
    '',
    file.slice(0, -1),
    `${file}\n`,
    file.replace('sotto-bond/1', 'sotto-bond/2'),
    file.replace(/node .*\n/, ''),
    file.replace('\nbond ', '\nbond  '),
    file.replace(/\nbond [0-9a-f]/, '\nbond '),
    file.replace('proof ', 'proof !'),
    file.replace(/proof .*/, 'proof AAAA'),
  ];
  for (const text of bad) assert.throws(() => parseBondFile(text), { code: 'malformed' });
});
