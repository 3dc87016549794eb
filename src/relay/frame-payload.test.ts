import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { toHex } from '../base/bytes.ts';
import {
  decodeAnswer,
  decodeDirectoryGet,
  decodeForward,
  decodeHeadersGet,
  decodeHello,
  decodeMailboxRange,
  decodePart,
  decodePut,
  decodeQuota,
  decodeReceipt,
  decodeTaken,
  encodeAnswer,
  encodeDirectoryGet,
  encodeForward,
  encodeHeadersGet,
  encodeHello,
  encodeMailboxRange,
  encodePart,
  encodePut,
  encodeQuota,
  encodeReceipt,
  encodeTaken,
} from './frame-payload.ts';
import { OUTER_CODES, type OuterCode, RelayError } from './relay-error.ts';

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const u16 = fc.nat(0xffff);
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

/** A payload codec, the values it carries, and its length where that is fixed. */
interface Codec<T> {
  readonly length: number;
  readonly encode: (value: T) => Uint8Array;
  readonly decode: (payload: Uint8Array) => T;
  readonly values: fc.Arbitrary<T>;
}

function roundTrip<T>(name: string, { length, encode, decode, values }: Codec<T>): void {
  test(`${name}: what is written is read, in ${length} bytes; nothing longer or shorter is`, () => {
    const property = fc.property(values, (value) => {
      const payload = encode(value);
      assert.equal(payload.length, length);
      assert.deepEqual(decode(payload), value);
      refused(() => decode(payload.subarray(1)));
      refused(() => decode(Uint8Array.of(...payload, 0)));
    });
    fc.assert(property, { numRuns: 20 });
  });
}

function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true });
}

roundTrip('HELLO', {
  length: 64,
  encode: encodeHello,
  decode: decodeHello,
  values: record({
    network: fc.nat(3),
    capabilities: u32,
    consensusHash: bytes(16),
    clients: fc.constantFrom(0, 1, 2, 64, 32_768),
  }),
});
roundTrip('FORWARD', {
  length: 2084,
  encode: encodeForward,
  decode: decodeForward,
  values: record({
    nodeId: bytes(16).map(toHex),
    release: u32,
    mailbox: bytes(16),
    cell: bytes(2048),
  }),
});
roundTrip('BACK and OUT with a reply', {
  length: 4104,
  encode: encodeAnswer,
  decode: decodeAnswer,
  values: record({ status: fc.constant('OK' as const), body: bytes(4096) }),
});
roundTrip('COLLECT and ACK', {
  length: 18,
  encode: encodeMailboxRange,
  decode: decodeMailboxRange,
  values: record({ mailbox: bytes(16), max: u16 }),
});
roundTrip('RECEIPT', {
  length: 100,
  encode: encodeReceipt,
  decode: decodeReceipt,
  values: record({ batchHash: bytes(32), time: u32, signature: bytes(64) }),
});
roundTrip('DIRECTORY_GET', {
  length: 33,
  encode: encodeDirectoryGet,
  decode: decodeDirectoryGet,
  values: record({ kind: fc.integer({ min: 1, max: 255 }), digest: bytes(32) }),
});
roundTrip('HEADERS_GET', {
  length: 6,
  encode: encodeHeadersGet,
  decode: decodeHeadersGet,
  values: record({ start: u32, count: fc.integer({ min: 1, max: 2016 }) }),
});
roundTrip('QUOTA', {
  length: 10,
  encode: encodeQuota,
  decode: decodeQuota,
  values: record({ cellsPerSecond: u32, burst: u32, retry: u16 }),
});

test('the fields of a FORWARD stand where the table says', () => {
  const payload = encodeForward({
    nodeId: '01'.repeat(16),
    release: 0x02020202,
    mailbox: new Uint8Array(16).fill(3),
    cell: new Uint8Array(2048).fill(4),
  });
  const runs = [
    [1, 16],
    [2, 4],
    [3, 16],
    [4, 2048],
  ] as const;
  assert.equal(toHex(payload), runs.map(([byte, count]) => `0${byte}`.repeat(count)).join(''));
});

test('every outer code is carried with a signature and zeros', () => {
  for (const [status, value] of Object.entries(OUTER_CODES) as [OuterCode, number][]) {
    const body = new Uint8Array(4096).fill(9, 0, 64);
    const payload = encodeAnswer({ status, body });
    assert.equal(payload[0], value);
    assert.deepEqual(decodeAnswer(payload), { status, body });
    refused(() => decodeAnswer(changed(payload, 8 + 64, 1)));
  }
});

test('fields out of range, and padding that is not zero, are refused', () => {
  const hello = encodeHello({
    network: 0,
    capabilities: 0,
    consensusHash: new Uint8Array(16),
    clients: 0,
  });
  refused(() => decodeHello(changed(hello, 0, 4)));
  refused(() => decodeHello(changed(hello, 22, 3)));
  refused(() => decodeHello(changed(hello, 23, 1)));
  refused(() => decodeHello(changed(hello, 63, 1)));
  const answer = encodeAnswer({ status: 'OK', body: new Uint8Array(4096) });
  refused(() => decodeAnswer(changed(answer, 0, 0x80)));
  refused(() => decodeAnswer(changed(answer, 0, 1)));
  refused(() => decodeAnswer(changed(answer, 7, 1)));
  const get = encodeDirectoryGet({ kind: 0, digest: new Uint8Array(32) });
  assert.equal(decodeDirectoryGet(get).kind, 0);
  assert.equal(decodeDirectoryGet(changed(get, 0, 255)).kind, 255);
  refused(() => decodeDirectoryGet(changed(get, 32, 1)));
  refused(() => decodeHeadersGet(encodeHeadersGet({ start: 0, count: 0 })));
  refused(() => decodeHeadersGet(encodeHeadersGet({ start: 0, count: 2017 })));
});

test('parts are whole but for the last, and bounded together', () => {
  const whole = new Uint8Array(4064);
  const rest = new Uint8Array(1);
  for (const part of [
    { part: 0, of: 0, data: new Uint8Array(0) },
    { part: 0, of: 1, data: rest },
    { part: 0, of: 1, data: whole },
    { part: 0, of: 2, data: whole },
    { part: 1, of: 2, data: rest },
  ]) {
    assert.deepEqual(decodePart(encodePart(part)), part);
  }
  for (const part of [
    { part: 1, of: 0, data: new Uint8Array(0) },
    { part: 0, of: 0, data: rest },
    { part: 0, of: 1, data: new Uint8Array(0) },
    { part: 0, of: 2, data: rest },
    { part: 1, of: 1, data: rest },
    { part: 2, of: 2, data: whole },
    { part: 0, of: 2066, data: whole },
  ]) {
    refused(() => decodePart(encodePart(part)));
  }
  const last = { part: 16, of: 17, data: rest };
  assert.deepEqual(decodePart(encodePart(last), 65_536), last);
  refused(() => decodePart(encodePart({ ...last, of: 18, data: whole }), 65_536));
});

test('a put has a kind and parts of at most 64 KiB together, and brings something', () => {
  const last = { kind: 3, part: 16, of: 17, data: new Uint8Array(1) };
  assert.deepEqual(decodePut(encodePut(last)), last);
  refused(() => decodePut(encodePut({ ...last, of: 18, data: new Uint8Array(4064) })));
  refused(() => decodePut(encodePut({ kind: 0, part: 0, of: 0, data: new Uint8Array(0) })));
});

test('a verdict says why it is not "taken" or what does not count, in printable characters and no more than 200', () => {
  const taken = { verdict: 'taken', text: '' } as const;
  const partly = { ...taken, text: 'one-sided-family: 1 of 1 that it names do not name it' };
  for (const each of [taken, partly]) assert.deepEqual(decodeTaken(encodeTaken(each)), each);
  for (const verdict of ['refused', 'later'] as const) {
    const text = 'replayed: a newer one is held';
    assert.deepEqual(decodeTaken(encodeTaken({ verdict, text })), { verdict, text });
    const long = encodeTaken({ verdict, text: `\x1b[31m\u2028${'x'.repeat(300)}` });
    assert.equal(decodeTaken(long).text, `?[31m?${'x'.repeat(194)}`);
    refused(() => decodeTaken(encodeTaken({ verdict, text: '' })));
    refused(() => decodeTaken(changed(encodeTaken({ verdict, text }), 3, 0x0a)));
  }
  refused(() => decodeTaken(Uint8Array.of(3, 0x61)));
});

test('noise throws BAD_FRAME or reads as something', () => {
  const links = [decodeHello, decodeHeadersGet, decodeQuota];
  const decoders = [...links, decodePart, decodeDirectoryGet, decodePut, decodeTaken];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (payload) => {
      for (const decode of decoders) {
        try {
          decode(payload);
        } catch (error) {
          assert.ok(error instanceof RelayError && error.code === 'BAD_FRAME');
        }
      }
    }),
  );
});

function changed(payload: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(payload);
  copy[at] = value;
  return copy;
}

function refused(act: () => unknown): void {
  assert.throws(act, (error) => error instanceof RelayError && error.code === 'BAD_FRAME');
}
