import { parseHeader } from '../src/bitcoin/block-header.ts';
import { RegtestChain } from '../src/devnet/chain.ts';
import { type Purse, purseOf } from '../src/devnet/purse.ts';
import { type VerifiedHistory } from '../src/lookup/lookup.ts';
import { type HeaderLookup, verifyHistory } from '../src/lookup/verify-history.ts';
import { type BlockProof, meetingLevel } from '../src/electrum/block-proof.ts';

const SEED = new Uint8Array(32).fill(9);
const SPENDABLE = 101;

/** A chain whose miner can pay. */
export function payingChain(): RegtestChain {
  const chain = new RegtestChain({ seed: SEED, clock: () => 1_796_083_200_000 });
  chain.mine(SPENDABLE + 20);
  return chain;
}

/** An address of the tests, with its key. */
export function testScript(name: string): Purse {
  return purseOf(SEED, name);
}

export function headersOf(chain: RegtestChain): HeaderLookup {
  return {
    headerAt(height) {
      const block = chain.blocks[height];
      return block && parseHeader(block.header);
    },
  };
}

/** What a lookup would answer now. */
export function verifiedHistory(chain: RegtestChain, scriptHash: string): VerifiedHistory {
  const { ledger, tip } = chain;
  const entries = ledger.history(scriptHash).map(({ txid, height }) => ({
    txid,
    height,
    raw: ledger.entry(txid)?.transaction.raw ?? new Uint8Array(),
    proof: proofOf(chain, txid),
  }));
  const claim = { scriptHash, status: ledger.status(scriptHash), entries };
  return {
    ...verifyHistory(claim, headersOf(chain)),
    tip: { height: tip.height, hash: tip.hash },
    source: { kind: 'gateway', nodeId: 'a1'.repeat(16), relay: 'b2'.repeat(16) },
  };
}

function proofOf({ ledger, blocks }: RegtestChain, txid: string): BlockProof | undefined {
  const place = ledger.entry(txid)?.place;
  const block = place && blocks[place.height];
  if (place === undefined || block === undefined) return undefined;
  const { position } = place;
  const first = block.tree.branch(0).slice(0, meetingLevel(position));
  const coinbase = { txid: block.transactions[0]?.txid ?? '', branch: first };
  return {
    position,
    branch: block.tree.branch(position),
    coinbase: position === 0 ? undefined : coinbase,
  };
}
