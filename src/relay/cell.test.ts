import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'vitest';
import invalid from '../../spec/vectors/invalid/cells.json' with { type: 'json' };
import golden from '../../spec/vectors/valid/cell.json' with { type: 'json' };
import { fromHex, toHex } from '../base/bytes.ts';
import { type CellKey, openCell, type OpenedCell, sealCell } from './cell.ts';
import { encodeKeyConfig } from './key-config.ts';
import { RelayError } from './relay-error.ts';
import { keyPairFromSeed } from './x25519.ts';

const { nodeId } = golden;
const keyConfig = fromHex(golden.keyConfig);
const key: CellKey = {
  keyConfig,
  privateKey: keyPairFromSeed(fromHex(golden.gatewaySeed)).privateKey,
};
const keyFor = (keyId: number): CellKey | undefined => (keyId === 43 ? key : undefined);
const open = (cell: Uint8Array): OpenedCell => openCell({ cell, nodeId, keyFor });

test('the golden cell is sealed byte for byte, and its reply opens', () => {
  const ephemeral = keyPairFromSeed(fromHex(golden.ephemeralSeed));
  const plaintext = fromHex(golden.request);
  const { cell, openReply } = sealCell({ keyConfig, nodeId, plaintext, ephemeral });
  assert.equal(toHex(cell), golden.cell);
  assert.equal(toHex(openReply(fromHex(golden.replyBody))), golden.reply);
});

test('the golden cell opens', () => {
  const { plaintext, enc } = open(fromHex(golden.cell));
  assert.equal(toHex(plaintext), golden.request);
  assert.equal(toHex(enc), toHex(keyPairFromSeed(fromHex(golden.ephemeralSeed)).publicKey));
});

test.each(invalid.cells)('a cell is refused: $reason', ({ code, cell }) => {
  refused(code, () => open(fromHex(cell)));
});

test('a request and its reply come back, in 2048 and 4096 bytes whatever their length', () => {
  const request = fc.uint8Array({ maxLength: 1991, size: 'max' });
  const reply = fc.uint8Array({ maxLength: 4046, size: 'max' });
  const property = fc.property(request, reply, (plaintext, answer) => {
    const { cell, openReply } = sealCell({ keyConfig, nodeId, plaintext });
    assert.equal(cell.length, 2048);
    const opened = open(cell);
    assert.equal(toHex(opened.plaintext), toHex(plaintext));
    const body = opened.sealReply(answer);
    assert.equal(body.length, 4096);
    assert.equal(toHex(openReply(body)), toHex(answer));
  });
  const examples: [Uint8Array, Uint8Array][] = [
    [new Uint8Array(0), new Uint8Array(0)],
    [new Uint8Array(1991), new Uint8Array(4046)],
  ];
  fc.assert(property, { numRuns: 30, examples });
});

test('what does not fit into a cell is the caller’s mistake', () => {
  assert.throws(() => sealCell({ keyConfig, nodeId, plaintext: new Uint8Array(1992) }), RangeError);
  const { cell } = sealCell({ keyConfig, nodeId, plaintext: new Uint8Array(0) });
  assert.throws(() => open(cell).sealReply(new Uint8Array(4047)), RangeError);
});

test('two cells of one request, and two replies to one cell, share no bytes after the header', () => {
  const plaintext = fromHex(golden.request);
  const [one, two] = [1, 2].map(() => sealCell({ keyConfig, nodeId, plaintext }).cell);
  assert.ok(one && two);
  assert.notEqual(toHex(one.subarray(7, 39)), toHex(two.subarray(7, 39)));
  const { sealReply } = open(one);
  const [first, second] = [sealReply(plaintext), sealReply(plaintext)];
  assert.notEqual(toHex(first.subarray(0, 32)), toHex(second.subarray(0, 32)));
});

test('any change to a cell or to a reply is noticed', () => {
  const { cell, openReply } = sealCell({ keyConfig, nodeId, plaintext: fromHex(golden.request) });
  const body = open(cell).sealReply(fromHex(golden.reply));
  const change = fc.integer({ min: 1, max: 255 });
  fc.assert(
    fc.property(fc.nat(2047), change, (at, by) => {
      const changed = flipped(cell, at, by);
      refused(at < 7 ? 'KEY_UNKNOWN' : 'OPEN_FAILED', () => open(changed));
    }),
  );
  fc.assert(
    fc.property(fc.nat(4095), change, (at, by) => {
      const changed = flipped(body, at, by);
      refused('BAD_REPLY', () => openReply(changed));
    }),
  );
});

test('a reply to another cell, or of another length, is refused', () => {
  const plaintext = fromHex(golden.request);
  const ours = sealCell({ keyConfig, nodeId, plaintext });
  const theirs = sealCell({ keyConfig, nodeId, plaintext });
  const body = open(theirs.cell).sealReply(plaintext);
  refused('BAD_REPLY', () => ours.openReply(body));
  refused('BAD_REPLY', () => theirs.openReply(body.subarray(0, 4095)));
});

test('a key unknown is said before a replay, and a replay before a cell is opened', () => {
  const cell = fromHex(golden.cell);
  const seen = (enc: Uint8Array): boolean => toHex(enc) === toHex(cell.subarray(7, 39));
  refused('REPLAY', () => openCell({ cell, nodeId, keyFor, seen }));
  refused('REPLAY', () => openCell({ cell: flipped(cell, 2047, 1), nodeId, keyFor, seen }));
  refused('KEY_UNKNOWN', () => openCell({ cell: flipped(cell, 0, 1), nodeId, keyFor, seen }));
});

test('a key config that cannot be used is refused before anything is sealed', () => {
  const plaintext = new Uint8Array(0);
  const smallOrder = encodeKeyConfig({ keyId: 43, publicKey: new Uint8Array(32) });
  for (const wrong of [smallOrder, keyConfig.subarray(1)]) {
    refused('BAD_KEY_CONFIG', () => sealCell({ keyConfig: wrong, nodeId, plaintext }));
  }
});

function flipped(bytes: Uint8Array, at: number, by: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ by;
  return copy;
}

function refused(code: string, act: () => unknown): void {
  assert.throws(act, (error) => error instanceof RelayError && error.code === code);
}
