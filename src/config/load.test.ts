import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { loadJson } from './load.ts';
import { nodeConfigSchema } from './node-config.ts';

async function load(text: string): Promise<unknown> {
  const directory = await mkdtemp(join(tmpdir(), 'sotto-config-'));
  try {
    await writeFile(join(directory, 'node.json'), text);
    return await loadJson(join(directory, 'node.json'), nodeConfigSchema);
  } finally {
    await rm(directory, { recursive: true });
  }
}

const complete = {
  network: 'regtest',
  dataDirectory: '/d',
  listen: '127.0.0.1:50010',
  target: '127.0.0.1:50001',
  socks: '127.0.0.1:9050',
  policyFile: '/p',
};

test('a complete file is read, with addresses parsed and defaults filled in', async () => {
  assert.deepEqual(await load(JSON.stringify(complete)), {
    ...complete,
    listen: { host: '127.0.0.1', port: 50_010 },
    target: { host: '127.0.0.1', port: 50_001 },
    socks: { host: '127.0.0.1', port: 9050 },
    expectProxyHeader: true,
    makeKeys: true,
    leave: false,
    family: [],
    epochSeconds: 86_400,
    cellTimeoutMs: 30_000,
  });
});

test('every problem of a file is told at once, each with its place', async () => {
  const broken = { ...complete, network: 'maintest', listen: '127.0.0.1', surprise: 1 };
  await assert.rejects(load(JSON.stringify(broken)), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.hint ?? '', /network/);
    assert.match(error.hint ?? '', /host:port/);
    assert.match(error.hint ?? '', /surprise/);
    return true;
  });
});

test('only numeric private addresses are dialled, and 0.0.0.0 is to listen on alone', async () => {
  const inside = { listen: '0.0.0.0:50010', target: '10.213.50.42:50001' };
  await load(JSON.stringify({ ...complete, ...inside, socks: '10.213.50.26:9050' }));
  for (const host of ['localhost', 'tor', '8.8.8.8', '0.0.0.0']) {
    for (const field of ['target', 'socks']) {
      const config = JSON.stringify({ ...complete, [field]: `${host}:9050` });
      await assert.rejects(load(config), { hint: new RegExp(field) }, `${field} ${host}`);
    }
  }
  const open = JSON.stringify({ ...complete, listen: '8.8.8.8:50010' });
  await assert.rejects(load(open), { hint: /listen/ });
});

test('text that is not JSON and a file that is not there are errors of the user', async () => {
  await assert.rejects(load('{'), UserError);
  await assert.rejects(loadJson('/nowhere/node.json', nodeConfigSchema), UserError);
});
