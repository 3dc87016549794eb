import { secp256k1 } from '@noble/curves/secp256k1.js';
import { txidOf } from '../src/bitcoin/transaction.ts';
import { certificateHash } from '../src/bond/bond-certificate.ts';
import { bondOutputScript } from '../src/bond/bond-script.ts';
import { type BondClaim } from '../src/bond/verify-bond.ts';
import { type RegtestChain } from '../src/devnet/chain.ts';
import { type NodeId } from '../src/directory/node-id.ts';
import { meetingLevel } from '../src/electrum/block-proof.ts';
import { merkleBranch } from '../src/electrum/merkle.ts';
import { testSeed } from './test-directory.ts';

export interface ChainBondOptions {
  readonly nodeId: NodeId;
  readonly sats: number;
  /** Unix seconds. */
  readonly locktime: number;
}

/** Locks coins on the chain and confirms them six times, as the operator of a node does. */
export function lockOnChain(
  chain: RegtestChain,
  { nodeId, sats, locktime }: ChainBondOptions,
): BondClaim {
  const secretKey = testSeed(`bond of ${nodeId}`);
  const publicKey = secp256k1.getPublicKey(secretKey);
  const script = bondOutputScript({ locktime, publicKey });
  const txid = chain.pay(script, BigInt(sats));
  chain.mine(6);
  const block = chain.blocks.find(({ transactions }) =>
    transactions.some((transaction) => transaction.txid === txid),
  );
  if (block === undefined) throw new Error('the payment was not mined');
  const txids = block.transactions.map((transaction) => transaction.txid);
  const position = txids.indexOf(txid);
  const { raw } = block.transactions[position] ?? {};
  if (raw === undefined || txidOf(raw) !== txid) throw new Error('another transaction');
  const expiry = 10;
  const hash = certificateHash({ nodeId, expiry });
  const signature = secp256k1.sign(hash, secretKey, { prehash: false });
  const vout = block.transactions[position]?.outputs.findIndex(
    (output) => Buffer.compare(output.script, script) === 0,
  );
  return {
    nodeId,
    bond: { txid, vout: vout ?? 0, sats, locktime, publicKey, expiry, signature },
    proof: {
      raw,
      block: {
        height: block.height,
        position,
        branch: merkleBranch(txids, position),
        coinbase: {
          txid: txids[0] ?? '',
          branch: merkleBranch(txids, 0).slice(0, meetingLevel(position)),
        },
      },
    },
  };
}
