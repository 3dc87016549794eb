import assert from 'node:assert/strict';
import { beforeAll, test } from 'vitest';
import { payingChain, testScript, verifiedHistory } from '../../test/chain-histories.ts';
import { concatBytes, fromHex, MalformedBytesError } from '../base/bytes.ts';
import { encodeCbor } from '../base/cbor.ts';
import { type VerifiedHistory } from '../lookup/lookup.ts';
import { decodeRecord, encodeRecord, scriptHashOfRecord } from './history-record.ts';

let history: VerifiedHistory;

beforeAll(() => {
  const chain = payingChain();
  const { script, scriptHash } = testScript('wallet');
  chain.pay(script, 50_000n);
  chain.pay(testScript('another').script, 60_000n);
  chain.pay(script, 70_000n);
  chain.mine(1);
  chain.pay(script, 80_000n);
  history = verifiedHistory(chain, scriptHash);
});

test('a history is read back as it was verified, proofs, transactions and all', () => {
  assert.deepEqual(
    history.entries.map(({ height }) => height),
    [122, 122, 0],
  );
  const entry = { history, due: 1_796_083_200_123, wantedAt: 5 };
  const record = encodeRecord(history.scriptHash, entry);
  assert.deepEqual(decodeRecord(record), entry);
  assert.equal(scriptHashOfRecord(record), history.scriptHash);
});

test('a history of an own server, or of an address never used, is read back too', () => {
  const empty: VerifiedHistory = {
    ...history,
    status: null,
    entries: [],
    unspent: [],
    confirmed: 0n,
    unconfirmed: -0n,
    source: { kind: 'server', onion: `${'a'.repeat(56)}.onion:50001` },
  };
  const entry = { history: empty, due: 1, wantedAt: 2 };
  assert.deepEqual(decodeRecord(encodeRecord(empty.scriptHash, entry)), entry);
});

test('times are kept to the millisecond', () => {
  const record = encodeRecord(history.scriptHash, { history, due: 1000.6, wantedAt: 7.2 });
  const entry = decodeRecord(record);
  assert.deepEqual([entry?.due, entry?.wantedAt], [1001, 7]);
});

test('that a history was dropped is read back as none', () => {
  const record = encodeRecord(history.scriptHash, undefined);
  assert.equal(decodeRecord(record), undefined);
  assert.equal(scriptHashOfRecord(record), history.scriptHash);
});

test('a record of another shape is malformed', () => {
  const scriptHash = fromHex(history.scriptHash);
  const noOutput = [1, 2, [3, scriptHash], 'onion', 4, 5, [[0, 0, 1]], []];
  for (const value of [[], [1, 2, 3, 4, 5, 6, 7, 8], noOutput]) {
    const record = concatBytes(scriptHash, encodeCbor(value));
    assert.throws(() => decodeRecord(record), MalformedBytesError);
  }
});
