import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { testBond } from '../../test/test-bond.ts';
import { fromUtf8 } from '../base/bytes.ts';
import { renderBondFile } from '../bond/bond-file.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { openBond } from './open-bond.ts';

const nodeId = 'dced38f3ccc06fc6f92732ada32e1162';
const { bond, proof } = testBond({ nodeId });

test('a node reads what was proved for it', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'bond');
  const file = renderBondFile({ nodeId, bond, proof });
  writeFileSync(path, file);
  const opened = await openBond(path, nodeId);
  assert.deepEqual(opened.bond, bond);
  assert.equal(fromUtf8(opened.file), file);
});

test('a bond of another node, a damaged file, and none are told to the operator', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'bond');
  await assert.rejects(openBond(path, nodeId), { name: 'UserError', message: /there is no file/ });
  writeFileSync(path, renderBondFile({ nodeId, bond, proof }));
  await assert.rejects(openBond(path, '00'.repeat(16)), {
    name: 'UserError',
    message: /is that of node dced38f3ccc06fc6f92732ada32e1162/,
  });
  writeFileSync(path, 'sotto-bond/1\n');
  await assert.rejects(openBond(path, nodeId), {
    name: 'UserError',
    message: /cannot be used/,
    hint: /sotto bond prove/,
  });
});
