import { secp256k1 } from '@noble/curves/secp256k1.js';
import { Transaction } from '@scure/btc-signer';
import { bondOutputScript } from '../src/bond/bond-script.ts';
import { certificateHash } from '../src/bond/bond-certificate.ts';
import { type BondProof } from '../src/bond/bond-proof.ts';
import { type BondChain } from '../src/bond/verify-bond.ts';
import { type BlockHeader } from '../src/bitcoin/block-header.ts';
import { txidOf } from '../src/bitcoin/transaction.ts';
import { type Bond } from '../src/directory/bond-line.ts';
import { type NodeId } from '../src/directory/node-id.ts';
import { merkleBranch, merkleRoot } from '../src/electrum/merkle.ts';
import { TEST_TIME, testSeed } from './test-directory.ts';

export interface TestBond {
  readonly bond: Bond;
  readonly proof: BondProof;
  readonly chain: BondChain;
}

export interface TestBondOptions {
  readonly nodeId: NodeId;
  readonly sats?: number;
  /** Unix seconds. */
  readonly locktime?: number;
  /** In periods of 2016 blocks. */
  readonly expiry?: number;
  /** Of the block with the payment. */
  readonly height?: number;
  /** How many blocks follow that of the payment. */
  readonly blocksAfter?: number;
}

const YEAR = 365 * 86_400;

/** A bond in a block of three transactions, on a chain whose blocks come every ten minutes. */
export function testBond(options: TestBondOptions): TestBond {
  const { nodeId, sats = 100_000, expiry = 10, height = 100, blocksAfter = 20 } = options;
  const { locktime = TEST_TIME + YEAR } = options;
  const secretKey = testSeed('bond');
  const publicKey = secp256k1.getPublicKey(secretKey);
  const script = bondOutputScript({ locktime, publicKey });
  const raw = paying(script, sats);
  const block = [paying(script, 5), paying(script, 7), raw].map(txidOf);
  const [coinbase = ''] = block;
  const merkle = merkleRoot(block);
  const signature = secp256k1.sign(certificateHash({ nodeId, expiry }), secretKey, {
    prehash: false,
  });
  return {
    bond: { txid: txidOf(raw), vout: 0, sats, locktime, publicKey, expiry, signature },
    proof: {
      raw,
      block: {
        height,
        position: 2,
        branch: merkleBranch(block, 2),
        coinbase: { txid: coinbase, branch: merkleBranch(block, 0).slice(0, 1) },
      },
    },
    chain: {
      tip: { height: height + blocksAfter },
      headerAt: (at) => ({ merkleRoot: merkle, time: TEST_TIME + at }) as BlockHeader,
    },
  };
}

/** A chain in which all of these are, each at a height of its own. */
export function chainOfAll(bonds: readonly TestBond[], tip = 500): BondChain {
  return {
    tip: { height: tip },
    headerAt: (height) =>
      (bonds.find(({ proof }) => proof.block.height === height) ?? bonds[0])?.chain.headerAt(
        height,
      ),
  };
}

function paying(script: Uint8Array, sats: number): Uint8Array {
  const transaction = new Transaction({ allowUnknownOutputs: true, disableScriptCheck: true });
  transaction.addInput({
    txid: testSeed(`coin ${sats}`),
    index: 0,
    finalScriptSig: new Uint8Array(0),
  });
  transaction.addOutput({ script, amount: BigInt(sats) });
  return transaction.toBytes(true, false);
}
