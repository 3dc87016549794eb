import assert from 'node:assert/strict';
import { test } from 'vitest';
import { fromHex } from '../base/bytes.ts';
import { txidOf } from '../bitcoin/transaction.ts';
import { encodeBroadcastBody } from '../query/bodies.ts';
import { encodeTransactionBody, packTransaction } from '../query/transaction-body.ts';
import type { Answered } from './ask.ts';
import { LookupError, type LookupErrorCode, NOBODY } from './fault.ts';
import type { PutAt } from './see-back.ts';
import { spreadTransaction } from './spread-transaction.ts';

const RAW = fromHex(
  '0200000001' + '11'.repeat(32) + '0000000000ffffffff01' + '00'.repeat(8) + '015100000000',
);
const TXID = txidOf(RAW);
const PACE = { delayMs: 0, lookEveryMs: 1, seenWithinMs: 100 };
const never = new AbortController().signal;

function failing(code: LookupErrorCode): LookupError {
  return new LookupError(code, 'no', { culprit: NOBODY });
}

/** Gateways that take a transaction, and that give this one once it was taken somewhere. */
function network({
  takes = () => undefined,
  gives = () => RAW,
}: {
  takes?: (gateway: string) => LookupErrorCode | undefined;
  gives?: (gateway: string, turn: number) => Uint8Array | undefined;
}): { readonly asked: string[]; readonly putAt: PutAt } {
  const asked: string[] = [];
  return {
    asked,
    putAt: (gateway, query) => {
      asked.push(`${query.op} ${gateway}`);
      if (query.op === 'BROADCAST') {
        const refusal = takes(gateway);
        if (refusal !== undefined) return Promise.reject(failing(refusal));
        return Promise.resolve(answer(encodeBroadcastBody({ txid: TXID, held: 1 })));
      }
      const raw = gives(gateway, asked.length);
      if (raw === undefined) return Promise.reject(failing('not-found'));
      const page = packTransaction({ raw, offset: 0, proof: undefined });
      return Promise.resolve(answer(encodeTransactionBody(page)));
    },
  };
}

function answer(body: unknown): Answered {
  return { reply: { code: 'OK', body }, evidence: { nodeId: '' } } as unknown as Answered;
}

function spread(putAt: PutAt, signal = never): Promise<string> {
  return spreadTransaction(RAW, { gateways: ['a', 'b', 'c'], putAt, pace: PACE, signal });
}

const fails =
  (code: LookupErrorCode) =>
  (error: unknown): boolean =>
    error instanceof LookupError && error.code === code;

test('a transaction is given to one gateway and looked for at the others until one has it', async () => {
  const { asked, putAt } = network({ gives: (_, turn) => (turn < 4 ? undefined : RAW) });
  assert.equal(await spread(putAt), TXID);
  assert.deepEqual(asked, ['BROADCAST a', 'TX b', 'TX c', 'TX b']);
});

test('a gateway that fails is made up for by the next one, and looked at like the others', async () => {
  const { asked, putAt } = network({
    takes: (gateway) => (gateway === 'a' ? 'relay-timeout' : undefined),
  });
  await spread(putAt);
  assert.deepEqual(asked, ['BROADCAST a', 'BROADCAST b', 'TX a']);
});

test('the last failure is told when every gateway fails', async () => {
  const { asked, putAt } = network({ takes: () => 'relay-timeout' });
  await assert.rejects(spread(putAt), fails('relay-timeout'));
  assert.equal(asked.length, 3);
});

test('a transaction that the network refuses is shown to one gateway only', async () => {
  const { asked, putAt } = network({ takes: () => 'transaction-rejected' });
  await assert.rejects(spread(putAt), fails('transaction-rejected'));
  assert.deepEqual(asked, ['BROADCAST a']);
});

test('without headers to judge bonds by, no further gateway is tried', async () => {
  const { asked, putAt } = network({ takes: () => 'headers-unavailable' });
  await assert.rejects(spread(putAt), fails('headers-unavailable'));
  assert.deepEqual(asked, ['BROADCAST a']);
});

test('a transaction that no other gateway has in time was not seen', async () => {
  for (const gives of [() => undefined, () => RAW.map((byte) => byte ^ 1)]) {
    const { asked, putAt } = network({ gives });
    await assert.rejects(spread(putAt), fails('not-seen'));
    assert.ok(asked.includes('TX b') && asked.includes('TX c') && !asked.includes('TX a'));
  }
});

test('what is aborted while it waits is shown to nobody', async () => {
  const { asked, putAt } = network({});
  const stop = new AbortController();
  const sending = spreadTransaction(RAW, {
    gateways: ['a', 'b'],
    putAt,
    pace: { ...PACE, delayMs: 1e9 },
    signal: stop.signal,
  });
  stop.abort(new Error('enough'));
  await assert.rejects(sending);
  assert.deepEqual(asked, []);
});

test('bytes that are no transaction are shown to nobody', async () => {
  const { asked, putAt } = network({});
  const options = { gateways: ['a', 'b'], putAt, pace: PACE, signal: never };
  await assert.rejects(spreadTransaction(RAW.subarray(1), options));
  assert.deepEqual(asked, []);
});
