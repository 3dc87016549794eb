import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { concatBytes, fromHex, reverseBytes, toHex } from '../base/bytes.ts';
import { type BlockHeader } from '../bitcoin/block-header.ts';
import { txidOf } from '../bitcoin/transaction.ts';
import { historyStatus } from '../electrum/history-status.ts';
import { merkleBranch, merkleRoot } from '../electrum/merkle.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { scriptHashOf } from '../electrum/script-hash.ts';
import { meetingLevel } from '../electrum/block-proof.ts';
import {
  checkTipAge,
  type ClaimedEntry,
  type HistoryClaim,
  verifyHistory,
} from './verify-history.ts';

const OURS = fromHex('0014' + '11'.repeat(20));
const THEIRS = fromHex('0014' + '22'.repeat(20));
const scriptHash = scriptHashOf(OURS);
const COINBASE = { txid: '00'.repeat(32), vout: 0xffff_ffff };

interface Sketch {
  readonly spends: readonly { txid: string; vout: number }[];
  readonly pays: readonly { value: bigint; script: Uint8Array }[];
  readonly salt?: number;
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

function rawOf({ spends, pays, salt = 0 }: Sketch): Uint8Array {
  return concatBytes(
    u32(2),
    Uint8Array.of(spends.length),
    ...spends.flatMap(({ txid, vout }) => [
      reverseBytes(fromHex(txid)),
      u32(vout),
      Uint8Array.of(0),
      u32(0xffff_ffff),
    ]),
    Uint8Array.of(pays.length),
    ...pays.flatMap(({ value, script }) => [u64(value), Uint8Array.of(script.length), script]),
    u32(salt),
  );
}

/** Blocks of raw transactions, the first of each its coinbase, and what a true source says of them. */
class Blocks {
  readonly #blocks: Uint8Array[][] = [];

  /** Adds a block with so many other transactions before these; returns its height. */
  mine(raws: readonly Uint8Array[], others = 0): number {
    const salt = this.#blocks.length * 1000;
    const other = (index: number): Uint8Array =>
      rawOf({
        spends: [{ txid: '99'.repeat(32), vout: index }],
        pays: [{ value: 1n, script: THEIRS }],
        salt: salt + index,
      });
    const coinbase = rawOf({ spends: [COINBASE], pays: [{ value: 50n, script: THEIRS }], salt });
    const before = Array.from({ length: others }, (_, index) => other(index));
    this.#blocks.push([coinbase, ...before, ...raws]);
    return this.#blocks.length;
  }

  mineCoinbase(coinbase: Uint8Array): number {
    return this.#blocks.push([coinbase]);
  }

  headerAt(height: number): BlockHeader | undefined {
    const block = this.#blocks[height - 1];
    return block && ({ merkleRoot: merkleRoot(block.map(txidOf)) } as BlockHeader);
  }

  entry(raw: Uint8Array, height: number): ClaimedEntry {
    const txid = txidOf(raw);
    const block = (this.#blocks[height - 1] ?? []).map(txidOf);
    const position = block.indexOf(txid);
    const [coinbase = ''] = block;
    const met = meetingLevel(position);
    return {
      txid,
      height,
      raw,
      proof: {
        position,
        branch: merkleBranch(block, position),
        coinbase:
          position === 0
            ? undefined
            : { txid: coinbase, branch: merkleBranch(block, 0).slice(0, met) },
      },
    };
  }
}

function unconfirmed(raw: Uint8Array, height = 0): ClaimedEntry {
  return { txid: txidOf(raw), height, raw, proof: undefined };
}

function claimOf(...entries: readonly ClaimedEntry[]): HistoryClaim {
  return { scriptHash, status: historyStatus(entries), entries };
}

function pay(value: bigint, salt = 0): Uint8Array {
  return rawOf({
    spends: [{ txid: '77'.repeat(32), vout: salt }],
    pays: [
      { value: 9n, script: THEIRS },
      { value, script: OURS },
    ],
    salt,
  });
}

function spend(raw: Uint8Array, salt = 0): Uint8Array {
  return rawOf({
    spends: [{ txid: txidOf(raw), vout: 1 }],
    pays: [{ value: 3n, script: THEIRS }],
    salt,
  });
}

function refused(code: string, claim: HistoryClaim, blocks: Blocks): void {
  assert.throws(
    () => verifyHistory(claim, blocks),
    (error) => error instanceof ProofError && error.code === code,
    code,
  );
}

test('an unused script has no status and no coins', () => {
  const { status, entries, confirmed, unconfirmed, unspent } = verifyHistory(
    claimOf(),
    new Blocks(),
  );
  assert.deepEqual([status, entries, confirmed, unconfirmed, unspent], [null, [], 0n, 0n, []]);
});

test('balances and coins follow from what was paid and spent', () => {
  const blocks = new Blocks();
  const [a, b, c] = [pay(100n, 1), pay(20n, 2), pay(7n, 3)];
  const [spendA, spendB] = [spend(a), spend(b)];
  const at = blocks.mine([a, b], 5);
  const later = blocks.mine([spendA]);
  const claim = claimOf(
    blocks.entry(a, at),
    blocks.entry(b, at),
    blocks.entry(spendA, later),
    unconfirmed(c),
    unconfirmed(spendB, -1),
  );
  const history = verifyHistory(claim, blocks);
  assert.equal(history.confirmed, 20n);
  assert.equal(history.unconfirmed, 7n - 20n);
  assert.deepEqual(history.unspent, [
    { txid: txidOf(c), vout: 1, value: 7n, height: 0, proved: false },
  ]);
  assert.deepEqual(
    history.entries.map(({ proved, position }) => [proved, position]),
    [
      [true, 6],
      [true, 7],
      [true, 1],
      [false, undefined],
      [false, undefined],
    ],
  );
});

test('a coinbase that pays the script is proved by its own branch', () => {
  const blocks = new Blocks();
  const raw = rawOf({ spends: [COINBASE], pays: [{ value: 50n, script: OURS }] });
  const entry = blocks.entry(raw, blocks.mineCoinbase(raw));
  assert.equal(verifyHistory(claimOf(entry), blocks).confirmed, 50n);
});

test('true histories are believed whatever the size of the block', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40), { minLength: 1, maxLength: 5 }), (sizes) => {
      const blocks = new Blocks();
      const entries = sizes.map((others, index) => {
        const raw = pay(BigInt(index), index);
        return blocks.entry(
          raw,
          blocks.mine([raw, pay(1n, 100 + index)].slice(0, 1 + (others % 2)), others),
        );
      });
      const history = verifyHistory(claimOf(...entries), blocks);
      assert.ok(history.entries.every(({ proved }) => proved));
    }),
    { numRuns: 40 },
  );
});

test('a hash that is changed anywhere in a proof is refused', () => {
  const blocks = new Blocks();
  const raw = pay(5n);
  const entry = blocks.entry(raw, blocks.mine([raw], 20));
  const { proof } = entry;
  assert.ok(proof?.coinbase);
  const { branch, coinbase } = proof;
  const flip = (text: string): string =>
    toHex(fromHex(text).map((byte, index) => (index === 9 ? byte ^ 1 : byte)));
  const with_ = (changed: Partial<typeof proof>): HistoryClaim =>
    claimOf({ ...entry, proof: { ...proof, ...changed } });
  for (const at of branch.keys()) {
    const changed = branch.map((text, index) => (index === at ? flip(text) : text));
    refused('bad-merkle-root', with_({ branch: changed }), blocks);
  }
  for (const at of coinbase.branch.keys()) {
    const changed = coinbase.branch.map((text, index) => (index === at ? flip(text) : text));
    refused('coinbase-depth', with_({ coinbase: { ...coinbase, branch: changed } }), blocks);
  }
  refused(
    'coinbase-depth',
    with_({ coinbase: { ...coinbase, txid: flip(coinbase.txid) } }),
    blocks,
  );
  refused(
    'coinbase-depth',
    with_({ coinbase: { txid: coinbase.txid, branch: coinbase.branch.slice(1) } }),
    blocks,
  );
  refused('proof-missing', with_({ coinbase: undefined }), blocks);
  refused('bad-merkle-root', with_({ position: proof.position - 1 }), blocks);
  refused('position-left-over', with_({ position: proof.position + 1024 }), blocks);
  refused('branch-too-long', with_({ branch: Array<string>(31).fill('00'.repeat(32)) }), blocks);
});

test('a proof for another block, or for one that is not known, is refused', () => {
  const blocks = new Blocks();
  const raw = pay(5n);
  const entry = blocks.entry(raw, blocks.mine([raw]));
  blocks.mine([pay(6n)]);
  refused('bad-merkle-root', claimOf({ ...entry, height: 2 }), blocks);
  refused('unknown-block', claimOf({ ...entry, height: 3 }), blocks);
  refused('proof-missing', claimOf({ ...entry, proof: undefined }), blocks);
});

test('a status that is not the hash of the history is refused', () => {
  const blocks = new Blocks();
  const raw = pay(5n);
  const entry = blocks.entry(raw, blocks.mine([raw]));
  refused('status-mismatch', { ...claimOf(entry), status: '00'.repeat(32) }, blocks);
  refused('status-mismatch', { ...claimOf(entry), status: null }, blocks);
  refused('status-mismatch', { ...claimOf(), status: claimOf(entry).status }, blocks);
});

test('a transaction that neither pays nor spends the script is refused', () => {
  const blocks = new Blocks();
  const [mine, foreign] = [pay(5n), spend(pay(6n, 9))];
  const at = blocks.mine([mine, foreign]);
  refused('not-of-this-script', claimOf(blocks.entry(foreign, at)), blocks);
  const both = claimOf(blocks.entry(mine, at), blocks.entry(foreign, at));
  refused('not-of-this-script', both, blocks);
  refused('not-of-this-script', claimOf(unconfirmed(foreign)), blocks);
});

test('raw bytes of another transaction, or of none, are refused', () => {
  const blocks = new Blocks();
  const [raw, other] = [pay(5n), pay(6n)];
  const entry = blocks.entry(raw, blocks.mine([raw]));
  refused('txid-mismatch', claimOf({ ...entry, raw: other }), blocks);
  refused('not-a-transaction', claimOf({ ...entry, raw: raw.subarray(1) }), blocks);
});

test('a transaction of 64 bytes is refused, with witnesses too', () => {
  const small = rawOf({
    spends: [{ txid: '77'.repeat(32), vout: 0 }],
    pays: [{ value: 1n, script: fromHex('51515151') }],
  });
  assert.equal(small.length, 64);
  const witnessed = concatBytes(
    small.subarray(0, 4),
    fromHex('0001'),
    small.subarray(4, 60),
    fromHex('0101ff'),
    small.subarray(60),
  );
  for (const raw of [small, witnessed]) {
    const entry = unconfirmed(raw);
    assert.equal(entry.txid, txidOf(small));
    refused('transaction-of-64-bytes', claimOf(entry), new Blocks());
  }
});

test('a history in another order, or with a transaction twice, is refused', () => {
  const blocks = new Blocks();
  const [a, b, c] = [pay(1n, 1), pay(2n, 2), pay(3n, 3)];
  const at = blocks.mine([a, b]);
  const later = blocks.mine([c]);
  const [inA, inB, inC] = [blocks.entry(a, at), blocks.entry(b, at), blocks.entry(c, later)];
  for (const entries of [
    [inB, inA],
    [inC, inA],
    [inA, inA],
    [unconfirmed(c), inA],
    [inA, unconfirmed(a)],
    [unconfirmed(a), unconfirmed(a)],
    [unconfirmed(a, -2)],
  ]) {
    refused('order', claimOf(...entries), blocks);
  }
  assert.equal(verifyHistory(claimOf(inA, inB, inC), blocks).confirmed, 6n);
});

test('only on mainnet may the newest block not be older than two hours', () => {
  const time = 1_800_000_000;
  const at = (network: 'mainnet' | 'regtest', seconds: number): void => {
    checkTipAge({ time }, { network, now: (time + seconds) * 1000 });
  };
  at('mainnet', 7200);
  at('regtest', 1_000_000);
  assert.throws(() => {
    at('mainnet', 7201);
  }, ProofError);
});
