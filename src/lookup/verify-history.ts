import { type BlockHeader } from '../bitcoin/block-header.ts';
import { type Network } from '../bitcoin/networks.ts';
import { type BlockProof } from '../electrum/block-proof.ts';
import { checkInBlock, readTransaction } from '../electrum/check-in-block.ts';
import { historyStatus } from '../electrum/history-status.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { balanceOf } from './balance.ts';
import { type FoundTransaction, type VerifiedEntry, type VerifiedHistory } from './lookup.ts';

/** What a source says about one transaction. Hashes are hex in display order. */
export interface ClaimedEntry {
  readonly txid: string;
  readonly height: number;
  readonly raw: Uint8Array;
  /** Of a transaction in a block. */
  readonly proof: BlockProof | undefined;
}

/** A whole history, in Electrum's order. */
export interface HistoryClaim {
  readonly scriptHash: string;
  readonly status: string | null;
  readonly entries: readonly ClaimedEntry[];
}

/** The chain that the client has verified. */
export interface HeaderLookup {
  headerAt(height: number): BlockHeader | undefined;
}

export type CheckedHistory = Omit<VerifiedHistory, 'tip' | 'source'>;

const MAX_TIP_AGE_SECONDS = 2 * 3600;

/**
 * Believes a history only as far as the chain proves it (spec/relay.md section 9). What the mempool
 * holds cannot be proved and is marked so.
 * @throws ProofError
 */
export function verifyHistory(claim: HistoryClaim, chain: HeaderLookup): CheckedHistory {
  checkOrder(claim.entries);
  const status = historyStatus(claim.entries);
  if (status !== claim.status) {
    throw new ProofError('status-mismatch', 'the status is not the hash of the history');
  }
  const entries = claim.entries.map((entry) => verifyEntry(entry, chain));
  const { touching, ...balance } = balanceOf(entries, claim.scriptHash);
  if (touching !== entries.length) {
    throw new ProofError('not-of-this-script', 'a transaction neither pays nor spends the script');
  }
  return { scriptHash: claim.scriptHash, status, entries, ...balance };
}

/**
 * On mainnet, a chain that has not grown for two hours means that new blocks are withheld.
 * @throws ProofError `stale-tip`
 */
export function checkTipAge(
  tip: Pick<BlockHeader, 'time'>,
  { network, now }: { readonly network: Network; /** Milliseconds. */ readonly now: number },
): void {
  const age = now / 1000 - tip.time;
  if (network === 'mainnet' && age > MAX_TIP_AGE_SECONDS) {
    throw new ProofError('stale-tip', `the newest block is ${Math.round(age / 60)} minutes old`);
  }
}

function checkOrder(entries: readonly ClaimedEntry[]): void {
  const inMempool = new Set<string>();
  let [height, position] = [0, -1];
  for (const entry of entries) {
    const { txid, proof } = entry;
    if (entry.height > 0) {
      if (proof === undefined) throw new ProofError('proof-missing', 'no proof of a block');
      const after = entry.height > height || (entry.height === height && proof.position > position);
      if (!after || inMempool.size > 0) throw new ProofError('order', 'not in the chain’s order');
      ({ height } = entry);
      ({ position } = proof);
    } else {
      if (entry.height < -1) throw new ProofError('order', 'a height below -1');
      if (inMempool.has(txid)) throw new ProofError('order', 'a transaction is listed twice');
      inMempool.add(txid);
    }
  }
  if (entries.some(({ txid, height: at }) => at > 0 && inMempool.has(txid))) {
    throw new ProofError('order', 'a transaction is both in a block and in the mempool');
  }
}

/**
 * Believes that a transaction is in a block as far as the chain proves it.
 * @throws ProofError
 */
export function verifyTransaction(entry: ClaimedEntry, chain: HeaderLookup): FoundTransaction {
  const verified = verifyEntry(entry, chain);
  return { ...verified, coinbase: verified.proved ? entry.proof?.coinbase : undefined };
}

function verifyEntry(entry: ClaimedEntry, chain: HeaderLookup): VerifiedEntry {
  const { txid, height, raw, proof } = entry;
  const transaction = readTransaction(raw, txid);
  const inBlock = height > 0 ? proof : undefined;
  if (inBlock !== undefined) {
    const header = chain.headerAt(height);
    if (header === undefined) throw new ProofError('unknown-block', `no block at height ${height}`);
    checkInBlock(transaction, inBlock, header);
  }
  const proved = inBlock !== undefined;
  const { position, branch } = inBlock ?? {};
  return { txid, height, position, proved, branch, raw, transaction };
}
