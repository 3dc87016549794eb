import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { fromHex } from '../../base/bytes.ts';
import { makeTemporaryDirectory } from '../../io/temporary-directory.ts';
import type { Outcome } from '../finding.ts';
import { homeAt } from '../home.ts';
import { configFrom } from '../init/choices.ts';
import { existingChainCheck } from './existing-chain.ts';

const MAINNET = fromHex('f9beb4d9');
const REGTEST = fromHex('fabfb5da');

interface Data {
  /** Of the block files, by their path below the data directory. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly network: string;
  readonly uid?: number;
}

async function look({ files, network, uid = 0 }: Data): Promise<Outcome> {
  await using directory = await makeTemporaryDirectory();
  const data = directory.path;
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(join(data, path, '..'), { recursive: true });
    await writeFile(join(data, path), bytes);
  }
  const before = await readdir(data, { recursive: true });
  const config = configFrom({ network, target: 'fulcrum', bitcoinData: data });
  const user = { uid, gid: uid };
  const check = existingChainCheck({ config, home: homeAt('/nowhere'), user }, data);
  const outcome = await check.run({ signal: new AbortController().signal });
  assert.deepEqual(await readdir(data, { recursive: true }), before);
  return outcome;
}

test('a complete chain of the network is taken, and nothing is written to it', async () => {
  const files = { 'blocks/blk00000.dat': MAINNET, 'blocks/blk00001.dat': MAINNET };
  const outcome = await look({ files, network: 'mainnet' });
  assert.equal(outcome.verdict, 'ok', outcome.found);
  assert.match(outcome.found, /2 block files of mainnet/);
});

test('masked block files are read through their key', async () => {
  const mask = fromHex('0102030405060708');
  const masked = MAINNET.map((byte, index) => byte ^ (mask[index] ?? 0));
  const files = { 'blocks/xor.dat': mask, 'blocks/blk00000.dat': masked };
  assert.equal((await look({ files, network: 'mainnet' })).verdict, 'ok');
  const other = await look({
    files: { ...files, 'blocks/xor.dat': fromHex('00') },
    network: 'mainnet',
  });
  assert.equal(other.verdict, 'ok', 'what begins like no network is left to bitcoind');
});

test('a directory of another network is refused, by where it is and by what it holds', async () => {
  const below = await look({
    files: { 'regtest/blocks/blk00000.dat': REGTEST },
    network: 'mainnet',
  });
  assert.equal(below.verdict, 'fail');
  assert.match(below.found, /a chain of regtest, and none of mainnet/);
  const inside = await look({ files: { 'blocks/blk00000.dat': REGTEST }, network: 'mainnet' });
  assert.equal(inside.verdict, 'fail');
  assert.match(inside.found, /blocks of regtest, not of mainnet/);
});

test('a pruned chain is refused', async () => {
  const outcome = await look({ files: { 'blocks/blk04000.dat': MAINNET }, network: 'mainnet' });
  assert.equal(outcome.verdict, 'fail');
  assert.match(outcome.found, /pruned/);
});

test('a chain that the services may not write to is refused, with what to type', async () => {
  const files = { 'blocks/blk00000.dat': MAINNET };
  const outcome = await look({ files, network: 'mainnet', uid: 54_321 });
  assert.equal(outcome.verdict, 'fail');
  assert.match(outcome.todo ?? '', /chown -R 54321:54321/);
});

test('an empty directory is a warning, for all blocks will have to come', async () => {
  assert.equal((await look({ files: {}, network: 'mainnet' })).verdict, 'warn');
});

test('what is no directory is refused', async () => {
  const config = configFrom({ network: 'mainnet', target: 'fulcrum', bitcoinData: '/dev/null' });
  const user = { uid: 0, gid: 0 };
  const check = existingChainCheck({ config, home: homeAt('/nowhere'), user }, '/dev/null');
  const { verdict } = await check.run({ signal: new AbortController().signal });
  assert.equal(verdict, 'fail');
});
