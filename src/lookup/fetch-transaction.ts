import { toHex } from '../base/bytes.ts';
import { type Query } from '../query/query.ts';
import { decodeTransactionBody } from '../query/transaction-body.ts';
import { type Put } from './fetch-history.ts';
import { readPieces } from './pieces.ts';
import { gatewayLied, readBody } from './read-body.ts';

export interface FetchTransactionOptions {
  readonly put: Put;
  /** Told the size before more than a page is read; throws when that is too much. */
  readonly reserve: (bytes: number) => void;
}

/** A later page has a longer offset to write down than the first. */
const OFFSET_BYTES = 8;

/**
 * The raw bytes of a transaction that fits in no page of a history. Unchecked.
 * @throws LookupError
 */
export async function fetchTransaction(
  txid: string,
  { put, reserve }: FetchTransactionOptions,
): Promise<Uint8Array> {
  const question: Query = { op: 'TX', txid };
  const answer = await put(question);
  const { size, offset, bytes } = readBody(answer, decodeTransactionBody);
  if (offset !== 0) throw gatewayLied(answer, 'it does not begin at the first byte');
  reserve(size);
  const raw = new Uint8Array(size);
  raw.set(bytes);
  const tipHash = toHex(answer.reply.tipHash);
  const stride = Math.max(bytes.length - OFFSET_BYTES, 1);
  await readPieces({
    from: bytes.length,
    total: size,
    stride,
    async read(index) {
      const more = await put({ ...question, cursor: { tipHash, index } });
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
  return raw;
}
