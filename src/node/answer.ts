import { fromHex } from '../base/bytes.ts';
import type { Cbor } from '../base/cbor.ts';
import { type Cursor, encodeCursor } from '../query/cursor.ts';
import type { Reply } from '../relay/message.ts';

/** A block of the node's verified chain. */
export interface Tip {
  readonly height: number;
  /** Hex in display order. */
  readonly hash: string;
}

/** What was found, as of a tip; with a cursor when there is more. */
export interface Answer {
  readonly tip: Tip;
  readonly body: Cbor;
  readonly cursor?: Cursor | undefined;
}

export function replyOf({ tip, body, cursor }: Answer): Reply {
  const reply = { code: 'OK', ...tipFields(tip), body } as const;
  return cursor === undefined ? reply : { ...reply, cursor: encodeCursor(cursor) };
}

/** Why a query has no answer: a code of the wire (spec/relay.md section 6.1). */
export class QueryRefusedError extends Error {
  override readonly name = 'QueryRefusedError';
  readonly code: Exclude<Reply['code'], 'OK'>;
  readonly body: Cbor;

  constructor(code: Exclude<Reply['code'], 'OK'>, body: Cbor = null) {
    super(code);
    this.code = code;
    this.body = body;
  }
}

export function refusalOf({ code, body }: QueryRefusedError, tip: Tip): Reply {
  return { code, ...tipFields(tip), body };
}

function tipFields({ height, hash }: Tip): Pick<Reply, 'tipHeight' | 'tipHash'> {
  return { tipHeight: height, tipHash: fromHex(hash) };
}
