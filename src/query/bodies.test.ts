import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { MalformedBytesError, toHex } from '../base/bytes.ts';
import { type Cbor, decodeCbor, encodeCbor } from '../base/cbor.ts';
import {
  decodeBroadcastBody,
  decodeFeesBody,
  decodeInfoBody,
  decodeRejectionBody,
  decodeStatusBody,
  decodeUnspentBody,
  encodeBroadcastBody,
  encodeFeesBody,
  encodeInfoBody,
  encodeStatusBody,
  encodeUnspentBody,
  UNSPENT_PAGE,
} from './bodies.ts';
import { MAX_BODY_BYTES, MAX_SATOSHIS } from './limits.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const HASH = 'ab'.repeat(32);

function comesBack<T>(
  values: fc.Arbitrary<T>,
  { encode, decode }: { encode: (value: T) => Cbor; decode: (body: Cbor) => T },
): void {
  fc.assert(
    fc.property(values, (value) => {
      const bytes = encodeCbor(encode(value));
      assert.ok(bytes.length <= MAX_BODY_BYTES);
      assert.deepEqual(decode(decodeCbor(bytes)), value);
    }),
  );
}

test('STATUS comes back; a status without entries, and entries without one, are refused', () => {
  const some = fc.record(
    { status: hash, total: fc.integer({ min: 1, max: 0xffff_ffff }) },
    { noNullPrototype: true },
  );
  comesBack(fc.oneof(some, fc.constant({ status: null, total: 0 })), {
    encode: encodeStatusBody,
    decode: decodeStatusBody,
  });
  refused(() => decodeStatusBody(encodeStatusBody({ status: HASH, total: 0 })));
  refused(() => decodeStatusBody(encodeStatusBody({ status: null, total: 1 })));
});

test('UNSPENT comes back, and a whole page of the largest fits', () => {
  const claim = fc.record(
    { txid: hash, vout: u32, value: fc.bigInt(0n, BigInt(MAX_SATOSHIS)), height: u32 },
    { noNullPrototype: true },
  );
  const codec = { encode: encodeUnspentBody, decode: decodeUnspentBody };
  comesBack(fc.array(claim, { maxLength: UNSPENT_PAGE }), codec);
  const largest = {
    txid: HASH,
    vout: 2 ** 32 - 1,
    value: BigInt(MAX_SATOSHIS),
    height: 2 ** 32 - 1,
  };
  const page = new Array<typeof largest>(UNSPENT_PAGE).fill(largest);
  comesBack(fc.constant(page), codec);
  refused(() => decodeUnspentBody(encodeUnspentBody([...page, largest])));
  refused(() =>
    decodeUnspentBody(encodeUnspentBody([{ ...largest, value: 2_100_000_000_000_001n }])),
  );
  refused(() => decodeUnspentBody(encodeUnspentBody([{ ...largest, height: -1 }])));
});

test('BROADCAST comes back', () => {
  const body = fc.record({ txid: fc.option(hash), held: fc.nat(223) }, { noNullPrototype: true });
  comesBack(body, { encode: encodeBroadcastBody, decode: decodeBroadcastBody });
  refused(() => decodeBroadcastBody(encodeBroadcastBody({ txid: null, held: 224 })));
});

test('FEES comes back, by rising target', () => {
  const codec = { encode: encodeFeesBody, decode: decodeFeesBody };
  const estimate = fc.record(
    {
      targetBlocks: fc.integer({ min: 1, max: 1008 }),
      satoshisPerKvB: fc.integer({ min: 0, max: MAX_SATOSHIS }),
    },
    { noNullPrototype: true },
  );
  const rising = fc
    .uniqueArray(estimate, { maxLength: 25, selector: ({ targetBlocks }) => targetBlocks })
    .map((estimates) => estimates.sort((a, b) => a.targetBlocks - b.targetBlocks));
  comesBack(rising, codec);
  const one = { targetBlocks: 2, satoshisPerKvB: 1000 };
  for (const wrong of [
    [one, one],
    [one, { ...one, targetBlocks: 1 }],
    [{ ...one, targetBlocks: 0 }],
    [{ ...one, targetBlocks: 1009 }],
    [{ ...one, satoshisPerKvB: -1 }],
  ]) {
    refused(() => decodeFeesBody(encodeFeesBody(wrong)));
  }
});

test('INFO comes back, with bounded texts', () => {
  const body = fc.record(
    {
      software: fc.string({ maxLength: 64 }),
      electrum: fc.string({ maxLength: 16 }),
      capabilities: u32,
    },
    { noNullPrototype: true },
  );
  comesBack(body, { encode: encodeInfoBody, decode: decodeInfoBody });
  const good = { software: 'sotto', electrum: '1.6', capabilities: 0 };
  refused(() => decodeInfoBody(encodeInfoBody({ ...good, software: 'é'.repeat(33) })));
  refused(() => decodeInfoBody(encodeInfoBody({ ...good, electrum: '1'.repeat(17) })));
});

test('the reason of a rejection is a text of at most 256 bytes', () => {
  assert.equal(decodeRejectionBody('x'.repeat(256)), 'x'.repeat(256));
  refused(() => decodeRejectionBody('x'.repeat(257)));
  refused(() => decodeRejectionBody(null));
});

test('bodies of other shapes are refused', () => {
  const decoders: ((body: Cbor) => unknown)[] = [
    decodeStatusBody,
    decodeUnspentBody,
    decodeBroadcastBody,
    decodeFeesBody,
    decodeInfoBody,
  ];
  const others: Cbor[] = [null, 0, '', [], new Map(), new Map([[9, 0]]), new Map([[1, [[]]]])];
  for (const decode of decoders) for (const body of others) refused(() => decode(body));
});

function refused(act: () => unknown): void {
  assert.throws(act, MalformedBytesError);
}
