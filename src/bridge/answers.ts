import { type ElectrumResults } from '../electrum/protocol.ts';
import { type VerifiedEntry, type VerifiedHistory } from '../lookup/lookup.ts';

/** Satoshis by txid, for what is unconfirmed. */
export type Fees = ReadonlyMap<string, number>;

type HistoryAnswer = ElectrumResults['blockchain.scripthash.get_history'];
type MempoolAnswer = ElectrumResults['blockchain.scripthash.get_mempool'];

/** All of it. Electrum hangs up on an unconfirmed transaction without a fee: it is 0 when unknown. */
export function historyAnswer({ entries }: VerifiedHistory, fees: Fees): HistoryAnswer {
  return entries.map((entry) =>
    isWaiting(entry) ? waitingItem(entry, fees) : { height: entry.height, tx_hash: entry.txid },
  );
}

/** What no block holds yet. */
export function mempoolAnswer({ entries }: VerifiedHistory, fees: Fees): MempoolAnswer {
  return entries.filter(isWaiting).map((entry) => waitingItem(entry, fees));
}

export function balanceAnswer(
  history: VerifiedHistory,
): ElectrumResults['blockchain.scripthash.get_balance'] {
  return { confirmed: Number(history.confirmed), unconfirmed: Number(history.unconfirmed) };
}

/** Of height 0 when no block holds it. */
export function unspentAnswer({
  unspent,
}: VerifiedHistory): ElectrumResults['blockchain.scripthash.listunspent'] {
  return unspent.map(({ txid, vout, height, value }) => ({
    tx_hash: txid,
    tx_pos: vout,
    height: Math.max(height, 0),
    value: Number(value),
  }));
}

export function isWaiting({ height }: Pick<VerifiedEntry, 'height'>): boolean {
  return height <= 0;
}

function waitingItem({ txid, height }: VerifiedEntry, fees: Fees): MempoolAnswer[number] {
  return { height, tx_hash: txid, fee: fees.get(txid) ?? 0 };
}
