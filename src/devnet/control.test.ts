import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { silent } from '../base/log.ts';
import { lineStream } from '../io/line-stream.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { dialUnix } from '../io/unix-socket.ts';
import { askControl } from './control.ts';
import { type Devnet, startDevnet } from './devnet.ts';
import { purseOf } from './purse.ts';

const NOW = Date.parse('2026-11-22T08:00:00Z');
const NEVER = new AbortController().signal;
const { address } = purseOf(new Uint8Array(32), 'control');

function start(directory: string): Promise<Devnet> {
  return startDevnet({
    host: '127.0.0.1',
    chain: 'embedded',
    port: 0,
    directory,
    clock: () => NOW,
    log: silent,
    signal: NEVER,
  });
}

test('a running devnet mines, pays and reorganises when asked', async () => {
  await using directory = await makeTemporaryDirectory();
  await using devnet = await start(directory.path);
  const { controlPath: path, electrum } = devnet;
  const info = await askControl(path, { command: 'info' }, NEVER);
  assert.deepEqual(info, {
    ...(await devnet.tip()),
    electrum: `${electrum.host}:${electrum.port}`,
  });
  const mined = await askControl(path, { command: 'mine', blocks: 3 }, NEVER);
  assert.equal(mined.height, info.height + 3);
  const paid = await askControl(path, { command: 'pay', address, sats: 50_000 }, NEVER);
  assert.match(paid.txid ?? '', /^[0-9a-f]{64}$/);
  const replaced = await askControl(path, { command: 'reorg', depth: 2 }, NEVER);
  assert.equal(replaced.height, mined.height + 1);
  assert.notEqual(replaced.hash, mined.hash);
});

test('what the operator got wrong is told in words', async () => {
  await using directory = await makeTemporaryDirectory();
  await using devnet = await start(directory.path);
  const path = devnet.controlPath;
  await assert.rejects(
    askControl(path, { command: 'pay', address: 'nowhere', sats: 1_000 }, NEVER),
    /"nowhere" is not an address/,
  );
  await assert.rejects(askControl(path, { command: 'reorg', depth: 999 }, NEVER), /cannot replace/);
  await assert.rejects(start(directory.path), /another process answers/);
});

test('a line that is not a command is refused', async () => {
  await using directory = await makeTemporaryDirectory();
  await using devnet = await start(directory.path);
  const lines = lineStream(await dialUnix(devnet.controlPath, NEVER), 10_000);
  const answers = lines.lines[Symbol.asyncIterator]();
  for (const line of ['', '{', '{"command":"stop"}', '{"command":"mine","blocks":-1}']) {
    await lines.write(line);
    const answer = (await answers.next()).value as string;
    assert.deepEqual(JSON.parse(answer), { error: 'the devnet does not understand the command' });
  }
  lines.close();
});

test('no devnet is a mistake that the operator can mend', async () => {
  await using directory = await makeTemporaryDirectory();
  await assert.rejects(
    askControl(join(directory.path, 's'), { command: 'info' }, NEVER),
    (error) => error instanceof UserError && error.hint?.includes('sotto devnet') === true,
  );
});
