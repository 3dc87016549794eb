import assert from 'node:assert/strict';
import { test } from 'vitest';
import { concatBytes, fromHex, toHex } from '../base/bytes.ts';
import { txidOf } from '../bitcoin/transaction.ts';
import { encodeBroadcastBody } from '../query/bodies.ts';
import { type Query } from '../query/query.ts';
import { Uploads } from '../query/upload.ts';
import { type Answered } from './ask.ts';
import { broadcastInParts } from './broadcast.ts';
import { LookupError } from './fault.ts';

/** One input, and one output with a script of so many bytes. */
function transactionOf(scriptBytes: number): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, scriptBytes, true);
  return concatBytes(
    fromHex('0200000001' + '11'.repeat(32) + '0000000000ffffffff01' + '00'.repeat(8) + 'fe'),
    length,
    new Uint8Array(scriptBytes),
    new Uint8Array(4),
  );
}

const raw = transactionOf(70_000);

type Answer = (txid: string | null) => string | null;

function gateway(answer: Answer): { sent: Uint8Array[]; put: (query: Query) => Promise<Answered> } {
  const uploads = new Uploads({ clock: () => 0 });
  const sent: Uint8Array[] = [];
  return {
    sent,
    put(query) {
      assert.ok(query.op === 'BROADCAST');
      const progress = uploads.add(query);
      assert.ok(progress.state !== 'corrupt');
      const whole = progress.state === 'whole';
      if (whole) sent.push(progress.raw);
      const txid = answer(whole ? txidOf(progress.raw) : null);
      const body = encodeBroadcastBody({ txid, held: progress.held });
      return Promise.resolve({
        reply: { code: 'OK', tipHeight: 0, tipHash: new Uint8Array(32), body },
        evidence: { nodeId: 'aa', request: new Uint8Array(), reply: new Uint8Array() },
        relay: 'bb',
      });
    },
  };
}

test('a long transaction arrives byte for byte and is answered with its txid', async () => {
  const { sent, put } = gateway((txid) => txid);
  assert.equal(await broadcastInParts(raw, put), txidOf(raw));
  assert.deepEqual(sent.map(toHex), [toHex(raw)]);
});

test('the parts are sent again when no answer has the txid', async () => {
  let lost = 1;
  const { sent, put } = gateway((txid) => (txid !== null && lost-- > 0 ? null : txid));
  assert.equal(await broadcastInParts(raw, put), txidOf(raw));
  assert.equal(sent.length, 2);
});

test.each<[string, string, Answer]>([
  ['never says that it has all', 'broadcast-incomplete', () => null],
  ['names another transaction', 'malformed-reply', () => '00'.repeat(32)],
])('a gateway that %s is at fault', async (_, code, answer) => {
  await assert.rejects(
    broadcastInParts(raw, gateway(answer).put),
    (error) =>
      error instanceof LookupError && error.code === code && error.culprit.role === 'gateway',
  );
});
