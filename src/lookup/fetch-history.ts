import { toHex } from '../base/bytes.ts';
import { type NodeId } from '../directory/node-id.ts';
import { decodeHistoryBody, type HistoryBody, type HistoryEntry } from '../query/history-body.ts';
import { type Query } from '../query/query.ts';
import { type Answered } from './ask.ts';
import { fetchTransaction } from './fetch-transaction.ts';
import { LookupError, NOBODY, type SignedReply } from './fault.ts';
import { type ChainTip } from './lookup.ts';
import { readPieces } from './pieces.ts';
import { gatewayLied, readBody } from './read-body.ts';
import { type HistoryClaim } from './verify-history.ts';

/** Puts one question to the gateway of the address. */
export type Put = (query: Query) => Promise<Answered>;

/** A whole history as its gateway claims it. */
export interface FetchedHistory {
  readonly claim: HistoryClaim;
  /** The gateway's. */
  readonly tip: ChainTip;
  /** The node that brought the first page. */
  readonly relay: NodeId;
  /** Every page. */
  readonly evidence: readonly SignedReply[];
}

const MAX_ENTRIES = 2000;
const MAX_RAW_BYTES = 64 * 1024 * 1024;
/** How often reading starts, when the history changes meanwhile. */
const MAX_STARTS = 3;

/**
 * An ordinary history is one page, and so one question. The first page of a long one tells how many
 * entries fit, and the others are asked for together.
 * @throws LookupError
 */
export async function fetchHistory(scriptHash: string, put: Put): Promise<FetchedHistory> {
  for (let start = 1; ; start++) {
    try {
      return await fetchOnce(scriptHash, put);
    } catch (error) {
      const stale = error instanceof LookupError && error.code === 'cursor-stale';
      if (!stale || start === MAX_STARTS) throw error;
    }
  }
}

async function fetchOnce(scriptHash: string, put: Put): Promise<FetchedHistory> {
  const question: Query = { op: 'HISTORY', scriptHash, proofs: true, raw: true };
  const answer = await put(question);
  const { total, first, entries, status } = pageOf(answer);
  if (total > MAX_ENTRIES) throw tooLong(`more than ${MAX_ENTRIES} transactions`);
  if (first !== 0 || (entries.length === 0) !== (total === 0)) {
    throw gatewayLied(answer, 'its first page is not one');
  }
  const held: HistoryEntry[] = [...entries];
  const evidence = [answer.evidence];
  const tip = tipOf(answer);
  await readPieces({
    from: held.length,
    total,
    stride: entries.length,
    async read(index) {
      const more = await put({ ...question, cursor: { tipHash: tip.hash, index } });
      const page = pageOf(more);
      if (page.status !== status || tipOf(more).hash !== tip.hash) throw changed();
      if (page.total !== total || page.first !== index || page.entries.length === 0) {
        throw gatewayLied(more, 'not the page that was asked for');
      }
      for (const [offset, entry] of page.entries.entries()) held[index + offset] = entry;
      evidence.push(more.evidence);
      return page.entries.length;
    },
  });
  let left = MAX_RAW_BYTES;
  const reserve = (bytes: number): void => {
    left -= bytes;
    if (left < 0) throw tooLong(`transactions of more than ${MAX_RAW_BYTES} bytes`);
  };
  const whole = held.map(async ({ txid, height, proof, raw }) => ({
    txid,
    height,
    proof,
    raw: raw ?? (await fetchTransaction({ op: 'TX', txid }, { put, reserve })).raw,
  }));
  const claim = { scriptHash, status, entries: await Promise.all(whole) };
  return { claim, tip, relay: answer.relay, evidence };
}

function pageOf(answer: Answered): HistoryBody {
  const page = readBody(answer, decodeHistoryBody);
  if (page.entries.every(({ height }) => height <= answer.reply.tipHeight)) return page;
  throw gatewayLied(answer, 'it goes beyond the block up to which it is said to be complete');
}

function tipOf({ reply: { tipHeight, tipHash } }: Answered): ChainTip {
  return { height: tipHeight, hash: toHex(tipHash) };
}

function changed(): LookupError {
  return new LookupError('cursor-stale', 'The history changed while it was read.', {
    culprit: NOBODY,
  });
}

function tooLong(what: string): LookupError {
  return new LookupError('history-too-long', `The history is too long to read: ${what}.`, {
    culprit: NOBODY,
  });
}
