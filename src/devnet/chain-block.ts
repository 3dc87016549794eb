import { concatBytes, fromHex, reverseBytes, toHex, utf8 } from '../base/bytes.ts';
import {
  encodeHeader,
  hashOf,
  parseHeader,
  type BlockHeaderFields,
} from '../bitcoin/block-header.ts';
import { targetOf } from '../bitcoin/compact-target.ts';
import { doubleSha256 } from '../bitcoin/double-sha256.ts';
import { networkParams } from '../bitcoin/networks.ts';
import { chainTransaction, readTransaction, type ChainTransaction } from './chain-transaction.ts';
import { MerkleTree } from './merkle-tree.ts';

export interface ChainBlock {
  readonly height: number;
  /** Hex in display order. */
  readonly hash: string;
  /** 80 bytes. */
  readonly header: Uint8Array;
  readonly headerHex: string;
  /** Seconds since the Unix epoch. */
  readonly time: number;
  /** The coinbase first. */
  readonly transactions: readonly ChainTransaction[];
  readonly tree: MerkleTree;
}

export interface BlockTemplate {
  readonly previous: Pick<ChainBlock, 'height' | 'hash'>;
  readonly time: number;
  /** Without the coinbase. */
  readonly transactions: readonly ChainTransaction[];
  /** Satoshis. */
  readonly fees: bigint;
  readonly rewardScript: Uint8Array;
  /** Makes a block differ from another one at the same place in the chain. */
  readonly extraNonce: number;
}

/** What a block of mainnet's limits leaves for transactions after its header and coinbase. */
export const MAX_TEMPLATE_WEIGHT = 3_992_000;

const REGTEST = networkParams('regtest');
const HALVING_BLOCKS = 150;
const BLOCK_VERSION = 0x2000_0000;
/** OP_RETURN, a push of 36 bytes and the four that mark a witness commitment (BIP 141). */
const COMMITMENT_PREFIX = fromHex('6a24aa21a9ed');
const ZEROS = new Uint8Array(32);

/** The first block's only transaction, the same on every network but testnet4. */
const GENESIS_COINBASE =
  '01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d01' +
  '04455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f662073' +
  '65636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe55482719' +
  '67f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a' +
  '4c702b6bf11d5fac00000000';

export function genesisBlock(): ChainBlock {
  return chainBlock(0, REGTEST.genesis, [readTransaction(fromHex(GENESIS_COINBASE))]);
}

/** Assembles the block and tries nonces until its hash meets regtest's target. */
export function mineBlock(template: BlockTemplate): ChainBlock {
  const height = template.previous.height + 1;
  const transactions = [coinbase(template, height), ...template.transactions];
  const fields = {
    version: BLOCK_VERSION,
    previousHash: template.previous.hash,
    merkleRoot: treeOf(transactions).root,
    time: template.time,
    bits: REGTEST.powLimit,
  };
  return chainBlock(height, mineHeader(fields), transactions);
}

function mineHeader(fields: Omit<BlockHeaderFields, 'nonce'>): Uint8Array {
  const target = targetOf(fields.bits);
  for (let nonce = 0; ; nonce += 1) {
    const header = encodeHeader({ ...fields, nonce });
    if (BigInt(`0x${hashOf(header)}`) <= target) return header;
  }
}

function coinbase(template: BlockTemplate, height: number): ChainTransaction {
  const wtxids = ['00'.repeat(32), ...template.transactions.map(({ wtxid }) => wtxid)];
  const witnessRoot = reverseBytes(fromHex(new MerkleTree(wtxids).root));
  const commitment = doubleSha256(concatBytes(witnessRoot, ZEROS));
  const extraNonce = new Uint8Array(4);
  new DataView(extraNonce.buffer).setUint32(0, template.extraNonce, true);
  return chainTransaction({
    version: 2,
    segwitFlag: true,
    inputs: [
      {
        txid: ZEROS,
        index: 0xffff_ffff,
        finalScriptSig: concatBytes(heightPush(height), push(extraNonce), push(utf8('sotto'))),
        sequence: 0xffff_ffff,
      },
    ],
    outputs: [
      { amount: subsidyAt(height) + template.fees, script: template.rewardScript },
      { amount: 0n, script: concatBytes(COMMITMENT_PREFIX, commitment) },
    ],
    witnesses: [[ZEROS]],
    lockTime: 0,
  });
}

/** The height as Bitcoin Core's `CScript() << height` writes it (BIP 34). */
function heightPush(height: number): Uint8Array {
  if (height <= 16) return Uint8Array.of(0x50 + height);
  const bytes: number[] = [];
  for (let rest = height; rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  // The highest bit of a script number is its sign.
  if ((bytes.at(-1) ?? 0) >= 0x80) bytes.push(0);
  return push(Uint8Array.from(bytes));
}

function push(data: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(data.length), data);
}

function subsidyAt(height: number): bigint {
  return 5_000_000_000n >> BigInt(Math.floor(height / HALVING_BLOCKS));
}

function chainBlock(
  height: number,
  header: Uint8Array,
  transactions: readonly ChainTransaction[],
): ChainBlock {
  const { hash, time } = parseHeader(header);
  return {
    height,
    hash,
    header,
    headerHex: toHex(header),
    time,
    transactions,
    tree: treeOf(transactions),
  };
}

function treeOf(transactions: readonly ChainTransaction[]): MerkleTree {
  return new MerkleTree(transactions.map(({ txid }) => txid));
}
