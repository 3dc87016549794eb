import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { concatBytes, fromHex, toHex } from '../base/bytes.ts';
import { encodeFrame, type Frame, FrameDecoder, type FrameType } from './frame.ts';
import { RelayError } from './relay-error.ts';

/** The type byte and the payload lengths that the table of spec/relay.md section 5.2 allows. */
const TABLE: Record<FrameType, readonly [code: number, ...lengths: number[]]> = {
  HELLO: [0x01, 64],
  FORWARD: [0x02, 2084],
  BACK: [0x03, 4104],
  COLLECT: [0x04, 18],
  ACK: [0x05, 18],
  RECEIPT: [0x06, 100],
  DIRECTORY_GET: [0x07, 33],
  DIRECTORY_DATA: [0x08, 4, 5, 4068],
  HEADERS_GET: [0x09, 6],
  HEADERS: [0x0a, 0, 80, 161_280],
  DIRECTORY_PUT: [0x0b, 6, 4069],
  DIRECTORY_TAKEN: [0x0c, 1, 201],
  IN: [0x11, 2048],
  OUT: [0x12, 4104],
  QUOTA: [0x13, 10],
};
const types = Object.keys(TABLE) as FrameType[];

const anyFrame: fc.Arbitrary<Frame> = fc
  .constantFrom(...types.filter((type) => type !== 'HEADERS'))
  .chain((type) => {
    const [, ...lengths] = TABLE[type];
    return fc.record(
      {
        type: fc.constant(type),
        id: fc.integer({ min: 0, max: 0xffff_ffff }),
        payload: fc.constantFrom(...lengths).chain((length) => bytesOf(length)),
      },
      { noNullPrototype: true },
    );
  });

test.each(types)('%s has the type byte and the lengths of the table', (type) => {
  const [code, ...lengths] = TABLE[type];
  for (const length of lengths) {
    const bytes = encodeFrame({ type, id: 0x01020304, payload: new Uint8Array(length) });
    const head = `${(length + 6).toString(16).padStart(8, '0')}01${toHex(Uint8Array.of(code))}01020304`;
    assert.equal(toHex(bytes.subarray(0, 10)), head);
    assert.equal(bytes.length, 10 + length);
    assert.deepEqual(new FrameDecoder().push(bytes), [
      { type, id: 0x01020304, payload: new Uint8Array(length) },
    ]);
  }
  for (const length of [(lengths[0] ?? 0) - 1, (lengths.at(-1) ?? 0) + 1]) {
    if (length < 0) continue;
    assert.throws(() => encodeFrame({ type, id: 0, payload: new Uint8Array(length) }), RangeError);
    refused(headOf({ code, length }));
  }
});

test('frames come back whatever the chunks they arrive in', () => {
  const frames = fc.array(anyFrame, { maxLength: 5 });
  const cuts = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 10 });
  const property = fc.property(frames, cuts, (sent, sizes) => {
    const bytes = concatBytes(...sent.map(encodeFrame));
    const decoder = new FrameDecoder();
    const received: Frame[] = [];
    for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1;
      received.push(...decoder.push(bytes.subarray(at, at + size)));
      at += size;
    }
    assert.deepEqual(received, sent);
  });
  fc.assert(property, { numRuns: 50 });
});

test('a payload does not hold the chunk it came in', () => {
  const chunk = encodeFrame({ type: 'QUOTA', id: 1, payload: new Uint8Array(10) });
  const [frame] = new FrameDecoder().push(chunk);
  assert.ok(frame);
  assert.notEqual(frame.payload.buffer, chunk.buffer);
  assert.equal(frame.payload.buffer.byteLength, 10);
});

test('wrong versions, types and lengths are refused as soon as the head is there', () => {
  refused(headOf({ version: 0 }));
  refused(headOf({ version: 2 }));
  refused(headOf({ code: 0x00 }));
  refused(headOf({ code: 0x0d }));
  refused(headOf({ code: 0x14 }));
  refused(headOf({ code: 0x0a, length: 79 }));
  refused(fromHex('00000005' + '0113' + '00000001'));
  refused(fromHex('ffffffff' + '0113' + '00000001'));
});

test('after a bad frame nothing more is read', () => {
  const decoder = new FrameDecoder();
  const bad = headOf({ version: 2 });
  const good = encodeFrame({ type: 'QUOTA', id: 1, payload: new Uint8Array(10) });
  assert.throws(() => decoder.push(bad), RelayError);
  assert.throws(() => decoder.push(good), RelayError);
  assert.throws(() => decoder.push(new Uint8Array(0)), RelayError);
});

test('noise yields frames or BAD_FRAME, and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        assert.ok(Array.isArray(new FrameDecoder().push(bytes)));
      } catch (error) {
        assert.ok(error instanceof RelayError && error.code === 'BAD_FRAME');
      }
    }),
  );
});

test('the largest frame in single bytes costs time in proportion to its length', () => {
  const bytes = encodeFrame({ type: 'HEADERS', id: 1, payload: new Uint8Array(161_280) });
  const decoder = new FrameDecoder();
  const started = performance.now();
  const frames = Array.from(bytes, (_, at) => decoder.push(bytes.subarray(at, at + 1))).flat();
  assert.equal(frames.length, 1);
  assert.ok(performance.now() - started < 1_500);
});

function headOf({ version = 1, code = 0x13, length = 10 }): Uint8Array {
  const head = new Uint8Array(10);
  new DataView(head.buffer).setUint32(0, length + 6);
  head[4] = version;
  head[5] = code;
  return head;
}

function bytesOf(length: number): fc.Arbitrary<Uint8Array> {
  return fc.nat(255).map((byte) => new Uint8Array(length).fill(byte));
}

function refused(bytes: Uint8Array): void {
  assert.throws(
    () => new FrameDecoder().push(bytes),
    (error) => error instanceof RelayError && error.code === 'BAD_FRAME',
  );
}
