import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { Scope } from '../base/lifecycle.ts';
import { type Logger, silent } from '../base/log.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { type AskedScripts, openAskedScripts } from './asked-scripts.ts';

const [GATEWAY, OTHER, RELAY] = ['a1'.repeat(16), 'b1'.repeat(16), 'c1'.repeat(16)] as const;
const SCRIPT = '77'.repeat(32);

let scope: Scope;
let path: string;
let warned: string[];

beforeEach(async () => {
  scope = new Scope();
  path = join(scope.use(await makeTemporaryDirectory()).path, 'probe-scripts.json');
  warned = [];
});
afterEach(() => scope[Symbol.asyncDispose]());

const open = (): Promise<AskedScripts> => {
  const log: Logger = { ...silent, warn: (message) => warned.push(message) };
  return openAskedScripts({ path, log });
};

test('what gateways are asked, and by which relays, is there after a restart', async () => {
  const before = await open();
  assert.deepEqual(before.of(GATEWAY), new Map());
  for (const gateway of [GATEWAY, OTHER]) before.keep(gateway, new Map([[SCRIPT, [RELAY]]]));
  before.retain((nodeId) => nodeId !== OTHER);
  await before.save();
  const after = await open();
  assert.deepEqual(after.of(GATEWAY), new Map([[SCRIPT, [RELAY]]]));
  assert.deepEqual(after.of(OTHER), new Map());
});

test('a damaged file is as none, and the log says so', async () => {
  for (const damaged of [
    '',
    '{',
    JSON.stringify({ version: 1, scripts: [[GATEWAY, [['77', []]]]] }),
  ]) {
    await writeFile(path, damaged);
    assert.deepEqual((await open()).of(GATEWAY), new Map());
  }
  assert.equal(warned.length, 3);
});
