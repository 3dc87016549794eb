import { concatBytes, fromHex } from '../base/bytes.ts';
import { messageOf } from '../base/errors.ts';
import { networkParams } from '../bitcoin/networks.ts';
import { HeaderProofs } from '../electrum/header-proofs.ts';
import { type ElectrumResults, MAX_HEADERS } from '../electrum/protocol.ts';
import { compareVersions } from '../electrum/protocol-version.ts';
import { ElectrumRpcError, RPC_CODE } from '../electrum/rpc-error.ts';
import type { ElectrumHandlers } from '../electrum/session.ts';
import { verboseTransaction } from '../electrum/verbose-transaction.ts';
import type { RegtestChain } from './chain.ts';
import type { ChainBlock } from './chain-block.ts';
import type { LedgerItem } from './chain-ledger.ts';
import { MIN_FEE_RATE, TransactionRejectedError } from './chain-policy.ts';
import { readTransaction } from './chain-transaction.ts';
import { feeHistogram } from './fee-histogram.ts';
import { FEE_RATE } from './purse.ts';

/** What belongs to a connection and not to the chain. */
export type SubscriptionMethod =
  | 'blockchain.headers.subscribe'
  | 'blockchain.scripthash.subscribe'
  | 'blockchain.scripthash.unsubscribe';

export const SERVER_NAME = 'Sotto devnet';
/** Bitcoins for 1000 virtual bytes. */
const RELAY_FEE = Number(MIN_FEE_RATE) / 100_000_000;
const ESTIMATED_FEE = Number(FEE_RATE) / 100_000;
const RPC_INVALID_ADDRESS_OR_KEY = -5;

/** Fulcrum's answers, and its words where it refuses, from the chain's present state. */
export function chainAnswers(
  chain: RegtestChain,
): Required<Omit<ElectrumHandlers, SubscriptionMethod>> {
  const { ledger } = chain;
  const proofs = new HeaderProofs((start, count) =>
    concatBytes(...chain.blocks.slice(start, start + count).map(({ header }) => header)),
  );
  return {
    'server.features': () => ({
      genesis_hash: networkParams('regtest').genesisHash,
      hosts: {},
      protocol_min: '1.4',
      protocol_max: '1.6',
      server_version: SERVER_NAME,
      hash_function: 'sha256',
      pruning: null,
    }),
    'server.banner': () => 'A regtest chain in memory: its coins are worth nothing.',
    'server.donation_address': () => '',
    'server.peers.subscribe': () => [],
    'blockchain.block.header': async ({ height, cp_height: checkpoint }) => {
      const header = blockAt(chain, height).headerHex;
      if (checkpoint === 0) return header;
      checkCheckpoint(chain, { what: 'header height', height, checkpoint });
      return { header, ...(await proofs.proofOf(height, checkpoint)) };
    },
    'blockchain.block.headers': async (
      { start_height: start, count, cp_height: checkpoint },
      { session },
    ) => {
      const blocks = chain.blocks.slice(start, start + Math.min(count, MAX_HEADERS));
      const headers = blocks.map(({ headerHex }) => headerHex);
      const listed = compareVersions(session.protocol, '1.6') >= 0;
      const reply = {
        count: headers.length,
        max: MAX_HEADERS,
        ...(listed ? { headers } : { hex: headers.join('') }),
      };
      if (checkpoint === 0 || headers.length === 0) return reply;
      const height = start + headers.length - 1;
      checkCheckpoint(chain, { what: 'header height + (count - 1)', height, checkpoint });
      return { ...reply, ...(await proofs.proofOf(height, checkpoint)) };
    },
    'blockchain.estimatefee': () => ESTIMATED_FEE,
    'blockchain.relayfee': () => RELAY_FEE,
    'mempool.get_info': () => ({
      mempoolminfee: RELAY_FEE,
      minrelaytxfee: RELAY_FEE,
      incrementalrelayfee: RELAY_FEE,
    }),
    'mempool.get_fee_histogram': () => feeHistogram(ledger),
    'blockchain.scripthash.get_history': ({ scripthash }) =>
      ledger.history(scripthash).map(historyItem),
    'blockchain.scripthash.get_mempool': ({ scripthash }) =>
      ledger.history(scripthash).flatMap((item) => waitingItem(item) ?? []),
    'blockchain.scripthash.get_balance': ({ scripthash }) => {
      const { confirmed, unconfirmed } = ledger.balance(scripthash);
      return { confirmed: Number(confirmed), unconfirmed: Number(unconfirmed) };
    },
    'blockchain.scripthash.listunspent': ({ scripthash }) =>
      ledger.unspent(scripthash).map(({ txid, vout, height, value }) => ({
        tx_hash: txid,
        tx_pos: vout,
        height,
        value: Number(value),
      })),
    'blockchain.transaction.get': ({ tx_hash: txid, verbose }) =>
      getTransaction(chain, txid, verbose),
    'blockchain.transaction.get_merkle': ({ tx_hash: txid, height }) => {
      if (height === 0) {
        throw badRequest('No confirmed transaction matching the requested hash was found');
      }
      const place = ledger.entry(txid)?.place;
      if (place?.height !== height) {
        throw badRequest(`No transaction matching the requested hash found at height ${height}`);
      }
      const merkle = blockAt(chain, height).tree.branch(place.position);
      return { block_height: height, merkle, pos: place.position };
    },
    'blockchain.transaction.id_from_pos': ({ height, tx_pos: position, merkle }) => {
      const block = chain.blocks[height];
      const txid = block?.transactions[position]?.txid;
      if (block === undefined || txid === undefined) {
        throw badRequest(`No transaction at position ${position} for height ${height}`);
      }
      return merkle ? { tx_hash: txid, merkle: block.tree.branch(position) } : txid;
    },
    'blockchain.transaction.broadcast': ({ raw_tx: raw }) => {
      try {
        return chain.broadcast(fromHex(raw));
      } catch (error) {
        throw rejection(error);
      }
    },
    'blockchain.transaction.broadcast_package': ({ raw_txs: raws }) => broadcastAll(chain, raws),
  };
}

function blockAt(chain: RegtestChain, height: number): ChainBlock {
  const block = chain.blocks[height];
  if (block === undefined) throw badRequest(`Height ${height} is out of range`);
  return block;
}

interface CheckpointQuestion {
  /** Of the height, in Fulcrum's words. */
  readonly what: string;
  readonly height: number;
  readonly checkpoint: number;
}

function checkCheckpoint(
  chain: RegtestChain,
  { what, height, checkpoint }: CheckpointQuestion,
): void {
  if (height <= checkpoint && checkpoint <= chain.tip.height) return;
  throw badRequest(
    `${what} ${height} must be <= cp_height ${checkpoint} ` +
      `which must be <= chain height ${chain.tip.height}`,
  );
}

function historyItem({
  txid,
  height,
  fee,
}: LedgerItem): ElectrumResults['blockchain.scripthash.get_history'][number] {
  return { tx_hash: txid, height, ...(fee !== undefined && { fee: Number(fee) }) };
}

function waitingItem({
  txid,
  height,
  fee,
}: LedgerItem): ElectrumResults['blockchain.scripthash.get_mempool'][number] | undefined {
  return fee === undefined ? undefined : { tx_hash: txid, height, fee: Number(fee) };
}

function getTransaction(
  chain: RegtestChain,
  txid: string,
  verbose: boolean,
): ElectrumResults['blockchain.transaction.get'] {
  const entry = chain.ledger.entry(txid);
  if (entry === undefined) {
    throw new ElectrumRpcError(
      RPC_CODE.daemonError,
      `daemon error: DaemonError({'code': ${RPC_INVALID_ADDRESS_OR_KEY}, 'message': 'No such mempool ` +
        "or blockchain transaction. Use gettransaction for wallet transactions.'})",
    );
  }
  const { transaction, place } = entry;
  if (!verbose) return transaction.hex;
  const confirmation = place && {
    block: blockAt(chain, place.height),
    confirmations: chain.tip.height - place.height + 1,
  };
  return verboseTransaction(transaction.raw, { network: 'regtest', confirmation });
}

function broadcastAll(
  chain: RegtestChain,
  raws: readonly string[],
): ElectrumResults['blockchain.transaction.broadcast_package'] {
  const transactions = raws.map((raw) => {
    try {
      return readTransaction(fromHex(raw));
    } catch (cause) {
      const words = `TX decode failed: ${raw} Make sure the tx has at least one input.`;
      throw badRequest(rejectionText(words), { cause });
    }
  });
  const errors = transactions.flatMap(({ txid, raw }) => {
    try {
      chain.broadcast(raw);
      return [];
    } catch (error) {
      if (error instanceof TransactionRejectedError) return { txid, error: error.message };
      throw error;
    }
  });
  return errors.length === 0 ? { success: true } : { success: false, errors };
}

function rejection(error: unknown): unknown {
  if (!(error instanceof TransactionRejectedError)) return error;
  return badRequest(rejectionText(messageOf(error)), { cause: error });
}

function rejectionText(reason: string): string {
  return `the transaction was rejected by network rules.\n\n${reason}\n`;
}

function badRequest(message: string, options?: ErrorOptions): ElectrumRpcError {
  return new ElectrumRpcError(RPC_CODE.badRequest, message, options);
}
