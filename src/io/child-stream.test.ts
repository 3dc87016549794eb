import assert from 'node:assert/strict';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { type ChildStreamOptions, openChildStream } from './child-stream.ts';
import { DialError } from './dial.ts';
import { waitUntil } from './wait-until.ts';

function shell(script: string, signal = AbortSignal.timeout(10_000)): ChildStreamOptions {
  return { command: 'sh', args: ['-c', script], signal };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  const signal = AbortSignal.timeout(5_000);
  const waiting = { what: 'the program to end', timeoutMs: 5_000, intervalMs: 10, signal };
  await waitUntil(() => (isAlive(pid) ? undefined : true), waiting);
}

test('bytes go both ways, from the first after the program says that it is open', async () => {
  const stream = await openChildStream(shell('echo +; printf first; cat'));
  stream.end(' and last');
  assert.equal(await text(stream), 'first and last');
});

test('what a program says that cannot open is what the error says', async () => {
  await assert.rejects(openChildStream(shell('echo "nobody is there" >&2; exit 1')), {
    name: 'DialError',
    message: 'nobody is there',
  });
});

test('a program that ends without a word is an error too', async () => {
  await assert.rejects(openChildStream(shell('exit 0')), DialError);
});

test('something else than the word is an error, and ends the program', async () => {
  await assert.rejects(openChildStream(shell('echo hello; sleep 30')), DialError);
});

test('a program that does not exist is told apart', async () => {
  const { args, signal } = shell('');
  await assert.rejects(openChildStream({ command: 'no-such-program', args, signal }), {
    code: 'ENOENT',
  });
});

test('destroying the stream ends the program and what it started', async () => {
  const stream = await openChildStream(shell('echo +; echo $$; sleep 30'));
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  const pid = Number(chunk.toString());
  assert.ok(isAlive(pid));
  stream.destroy();
  await untilGone(pid);
});

test('the signal ends an open stream', async () => {
  const controller = new AbortController();
  const stream = await openChildStream(shell('echo +; exec sleep 30', controller.signal));
  const closed = new Promise((resolve) => stream.once('close', resolve));
  controller.abort();
  await closed;
});

test('the signal ends the opening with its own reason', async () => {
  await assert.rejects(openChildStream(shell('exec sleep 30', AbortSignal.timeout(50))), {
    name: 'TimeoutError',
  });
});

test('a program that writes without end waits while nobody reads', async () => {
  const stream = await openChildStream(shell('echo +; exec yes'));
  await sleep(200);
  assert.ok(stream.readableLength < 1_000_000);
  stream.destroy();
});

test('what a program writes before it ends is read, and then the stream closes', async () => {
  const lastWords = async (): Promise<string> => {
    const stream = await openChildStream(shell('echo +; echo bye'));
    const closed = new Promise((resolve) => stream.once('close', resolve));
    const words = await text(stream);
    await closed;
    return words;
  };
  const all = await Promise.all(Array.from({ length: 20 }, lastWords));
  assert.deepEqual(new Set(all), new Set(['bye\n']));
});

test('what a program wrote is read although it has ended', async () => {
  const stream = await openChildStream(shell('echo +; echo $$; read go; echo bye'));
  await once(stream, 'readable');
  const pid = Number(String(stream.read()));
  stream.write('go\n');
  await untilGone(pid);
  await sleep(50);
  assert.equal(await text(stream), 'bye\n');
});

test('what is written to a program that has ended takes nothing of what it wrote', async () => {
  const stream = await openChildStream(shell('echo +; echo $$; read go; echo bye'));
  await once(stream, 'readable');
  const pid = Number(String(stream.read()));
  stream.write('go\n');
  await untilGone(pid);
  stream.write('anybody?');
  await sleep(50);
  assert.equal(await text(stream), 'bye\n');
});
