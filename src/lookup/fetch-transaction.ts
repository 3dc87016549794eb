import { toHex } from '../base/bytes.ts';
import { type TransactionQuery } from '../query/query.ts';
import { decodeTransactionBody, type TransactionProof } from '../query/transaction-body.ts';
import { type SignedReply } from './fault.ts';
import { type Put } from './fetch-history.ts';
import { type ChainTip } from './lookup.ts';
import { readPieces } from './pieces.ts';
import { gatewayLied, readBody } from './read-body.ts';

export interface FetchTransactionOptions {
  readonly put: Put;
  /** Told the size before more than a page is read; throws when that is too much. */
  readonly reserve?: (bytes: number) => void;
}

/** A transaction as a gateway claims it. */
export interface FetchedTransaction {
  readonly raw: Uint8Array;
  readonly proof: TransactionProof | undefined;
  /** The gateway's. */
  readonly tip: ChainTip;
  /** The first page, which has the proof. */
  readonly evidence: readonly SignedReply[];
}

/** With the longest proof beside them more bytes fit into the first page. */
const MIN_PAGE_BYTES = 1024;

/** A later page has a longer offset to write down than the first. */
const OFFSET_BYTES = 8;

/**
 * A transaction of any size. Unchecked.
 * @throws LookupError
 */
export async function fetchTransaction(
  question: TransactionQuery,
  { put, reserve }: FetchTransactionOptions,
): Promise<FetchedTransaction> {
  const answer = await put(question);
  const { size, offset, bytes, proof } = readBody(answer, decodeTransactionBody);
  if (offset !== 0) throw gatewayLied(answer, 'it does not begin at the first byte');
  // A first page of crumbs would have the rest asked for in as many questions.
  if (bytes.length < Math.min(size, MIN_PAGE_BYTES)) {
    throw gatewayLied(answer, 'its first page is far from full');
  }
  reserve?.(size);
  const raw = new Uint8Array(size);
  raw.set(bytes);
  const { tipHeight, tipHash } = answer.reply;
  const tip = { height: tipHeight, hash: toHex(tipHash) };
  const stride = Math.max(bytes.length - OFFSET_BYTES, 1);
  await readPieces({
    from: bytes.length,
    total: size,
    stride,
    async read(index) {
      const more = await put({ ...question, cursor: { tipHash: tip.hash, index } });
      const page = readBody(more, decodeTransactionBody);
      // A gateway that sends less than fits could keep its client busy for ever.
      const short = page.bytes.length < Math.min(stride, size - index);
      if (page.size !== size || page.offset !== index || short) {
        throw gatewayLied(more, 'not the bytes that were asked for');
      }
      raw.set(page.bytes, index);
      return page.bytes.length;
    },
  });
  return { raw, proof, tip, evidence: [answer.evidence] };
}
