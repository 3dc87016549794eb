import fc from 'fast-check';
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { test } from 'vitest';
import invalid from '../../spec/vectors/invalid/messages.json' with { type: 'json' };
import sealed from '../../spec/vectors/valid/cell.json' with { type: 'json' };
import golden from '../../spec/vectors/valid/messages.json' with { type: 'json' };
import { concatBytes, fromHex, toHex } from '../base/bytes.ts';
import type { Cbor } from '../base/cbor.ts';
import {
  MAX_CURSOR_BYTES,
  MAX_REQUEST_BYTES,
  MAX_SIGNED_REPLY_BYTES,
  MAX_TOKEN_BYTES,
} from './limits.ts';
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  outerErrorInput,
  type Reply,
  type Request,
} from './message.ts';
import { INNER_CODES, type InnerCode, RelayError } from './relay-error.ts';

const PKCS8_HEAD = fromHex('302e020100300506032b657004220420');
const replyKey = createPrivateKey({
  key: Buffer.from(concatBytes(PKCS8_HEAD, fromHex(golden.replyKeySeed))),
  format: 'der',
  type: 'pkcs8',
});
const keys = {
  sign: (message: Uint8Array): Uint8Array => sign(null, message, replyKey),
  verify: (message: Uint8Array, signature: Uint8Array): boolean =>
    verify(null, message, createPublicKey(replyKey), signature),
};
const { nodeId } = golden;
const goldenRequest = fromHex(golden.request.bytes);

const hash = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const anyCbor: fc.Arbitrary<Cbor> = fc.letrec<{ value: Cbor }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.integer(),
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(fc.nat(30), tie('value')), { maxLength: 4, selector: ([key]) => key })
      .map((fields) => new Map(fields.sort(([a], [b]) => a - b))),
  ),
})).value;

const anyRequest: fc.Arbitrary<Request> = fc.record(
  {
    op: fc.nat(255),
    minute: u32,
    consensusHash: hash(16),
    nonce: hash(16),
    args: anyCbor,
    token: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  },
  { noNullPrototype: true, requiredKeys: ['op', 'minute', 'consensusHash', 'nonce', 'args'] },
);
const anyReply: fc.Arbitrary<Reply> = fc.record(
  {
    code: fc.constantFrom(...(Object.keys(INNER_CODES) as InnerCode[])),
    tipHeight: u32,
    tipHash: hash(32),
    body: anyCbor,
    cursor: fc.uint8Array({ minLength: 1, maxLength: 36 }),
  },
  { noNullPrototype: true, requiredKeys: ['code', 'tipHeight', 'tipHash', 'body'] },
);

test('the golden request is written byte for byte, and read', () => {
  const { op, minute, consensusHash, nonce, args, bytes } = golden.request;
  const request: Request = {
    op,
    minute,
    consensusHash: fromHex(consensusHash),
    nonce: fromHex(nonce),
    args: new Map<number, Cbor>([
      [1, fromHex(args.scriptHash)],
      [3, args.want],
    ]),
  };
  assert.equal(toHex(encodeRequest(request)), bytes);
  assert.deepEqual(decodeRequest(fromHex(bytes)), request);
});

test('the golden reply is written and signed byte for byte, and read', () => {
  const { tipHeight, tipHash, cursor, bytes } = golden.reply;
  const reply: Reply = {
    code: 'OK',
    tipHeight,
    tipHash: fromHex(tipHash),
    body: null,
    cursor: fromHex(cursor),
  };
  const context = { nodeId, request: goldenRequest };
  assert.equal(toHex(encodeReply({ reply, ...context, ...keys })), bytes);
  assert.deepEqual(decodeReply({ bytes: fromHex(bytes), ...context, ...keys }), reply);
});

test('the golden outer error is signed byte for byte', () => {
  const cell = fromHex(sealed.cell);
  const { cellHash, signature } = golden.outerError;
  assert.equal(createHash('sha256').update(cell).digest('hex'), cellHash);
  assert.equal(toHex(keys.sign(outerErrorInput({ nodeId, code: 'OVERLOAD', cell }))), signature);
});

test('a request comes back', () => {
  fc.assert(
    fc.property(anyRequest, (request) => {
      assert.deepEqual(decodeRequest(encodeRequest(request)), request);
    }),
  );
});

test('a reply comes back', () => {
  const property = fc.property(anyReply, (reply) => {
    const context = { nodeId, request: goldenRequest };
    const bytes = encodeReply({ reply, ...context, ...keys });
    assert.deepEqual(decodeReply({ bytes, ...context, ...keys }), reply);
  });
  fc.assert(property, { numRuns: 50 });
});

test('the largest body and cursor fill a reply, and the largest part and token fit a request', () => {
  const bytes = encodeReply({
    reply: {
      code: 'TOKEN_NEEDED',
      tipHeight: 0xffff_ffff,
      tipHash: new Uint8Array(32),
      // 3895 bytes with its head.
      body: new Uint8Array(3892),
      cursor: new Uint8Array(MAX_CURSOR_BYTES),
    },
    nodeId,
    request: goldenRequest,
    sign: () => new Uint8Array(64),
  });
  assert.equal(bytes.length, MAX_SIGNED_REPLY_BYTES);
  const request = encodeRequest({
    op: 5,
    minute: 0xffff_ffff,
    consensusHash: new Uint8Array(16),
    nonce: new Uint8Array(16),
    args: new Map<number, Cbor>([
      [1, new Uint8Array(32)],
      [2, 222],
      [3, 223],
      [4, new Uint8Array(1800)],
    ]),
    token: new Uint8Array(MAX_TOKEN_BYTES),
  });
  assert.ok(request.length <= MAX_REQUEST_BYTES);
});

test.each(invalid.requests)('a request is refused: $reason', ({ bytes }) => {
  refused('BAD_REQUEST', () => decodeRequest(fromHex(bytes)));
});

test.each(invalid.replies)('a reply is refused: $reason', ({ code, bytes }) => {
  const context = { nodeId, request: goldenRequest };
  refused(code, () => decodeReply({ bytes: fromHex(bytes), ...context, ...keys }));
});

test('noise is refused as a request and as a reply', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      refused('BAD_REQUEST', () => decodeRequest(bytes));
      refused('BAD_REPLY', () => decodeReply({ bytes, nodeId, request: goldenRequest, ...keys }));
    }),
  );
});

test('deep nesting as far as a cell goes is refused, not followed into a crash', () => {
  refused('BAD_REQUEST', () => decodeRequest(new Uint8Array(1991).fill(0x81)));
});

function refused(code: string, act: () => unknown): void {
  assert.throws(act, (error) => error instanceof RelayError && error.code === code);
}
