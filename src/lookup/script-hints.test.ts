import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { ElectrumClient } from '../electrum/client.ts';
import { ElectrumRpcError } from '../electrum/rpc-error.ts';
import { ScriptHints } from './script-hints.ts';

const SCRIPT = 'ab'.repeat(32);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A server that says of every script that its status is `status`. */
function server(): {
  readonly hints: ScriptHints;
  readonly calls: string[];
  status: string | null;
  refuses: boolean;
  push: (scriptHash: string, status: string | null) => void;
} {
  const calls: string[] = [];
  let listener: (params: [string, string | null]) => void = () => undefined;
  const client = {
    protocol: '1.4.2',
    on: (_: string, told: typeof listener) => {
      listener = told;
      return () => undefined;
    },
    call: (method: string, { scripthash }: { scripthash: string }) => {
      calls.push(`${method.split('.').at(-1) ?? ''} ${scripthash.slice(0, 2)}`);
      return subject.refuses
        ? Promise.reject(new ElectrumRpcError(1, 'no'))
        : Promise.resolve(subject.status);
    },
  } as unknown as ElectrumClient;
  const subject = {
    hints: new ScriptHints(client),
    calls,
    status: null as string | null,
    refuses: false,
    push: (scriptHash: string, status: string | null) => {
      listener([scriptHash, status]);
    },
  };
  return subject;
}

test('a hint is given when the status becomes another one, to everybody who watches', async () => {
  const { hints, calls, push } = server();
  const heard: string[] = [];
  hints.watch(SCRIPT, () => heard.push('one'));
  hints.watch(SCRIPT, () => heard.push('other'));
  await settled();
  assert.deepEqual(calls, ['subscribe ab']);
  push(SCRIPT, null);
  push('cd'.repeat(32), '01');
  assert.deepEqual(heard, []);
  push(SCRIPT, '01');
  push(SCRIPT, '01');
  assert.deepEqual(heard, ['one', 'other']);
});

test('after a reconnection every subscription is renewed, and hinted at where the status changed', async () => {
  const subject = server();
  const heard: string[] = [];
  for (const scriptHash of [SCRIPT, 'cd'.repeat(32)]) {
    subject.hints.watch(scriptHash, () => heard.push(scriptHash));
  }
  await settled();
  subject.push('cd'.repeat(32), '01');
  heard.length = 0;
  subject.status = '01';
  subject.hints.renew();
  await settled();
  assert.deepEqual(heard, [SCRIPT]);
  assert.equal(subject.calls.length, 4);
});

test('the server is told when nobody watches any more', async () => {
  const { hints, calls, push } = server();
  const heard: string[] = [];
  const stops = ['one', 'other'].map((name) => hints.watch(SCRIPT, () => heard.push(name)));
  await settled();
  stops[0]?.();
  push(SCRIPT, '01');
  assert.deepEqual(heard, ['other']);
  stops[1]?.();
  stops[1]?.();
  push(SCRIPT, '02');
  assert.deepEqual(heard, ['other']);
  assert.deepEqual(calls, ['subscribe ab', 'unsubscribe ab']);
  hints.renew();
  assert.equal(calls.length, 2);
});

test('a subscription that is refused gives no hints and harms nothing', async () => {
  const subject = server();
  subject.refuses = true;
  const heard: string[] = [];
  subject.hints.watch(SCRIPT, () => heard.push('hint'));
  await settled();
  subject.refuses = false;
  subject.status = '01';
  subject.hints.renew();
  await settled();
  assert.deepEqual(heard, []);
  subject.push(SCRIPT, '02');
  assert.deepEqual(heard, ['hint']);
});
