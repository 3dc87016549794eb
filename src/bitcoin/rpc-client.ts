import * as z from 'zod';
import { toBase64, utf8 } from '../base/bytes.ts';
import type { Address } from '../io/dial.ts';
import { httpPost } from '../io/http-post.ts';

export interface RpcClientOptions {
  /** On this machine. */
  readonly address: Address;
  /** `user:password`, as in bitcoind's cookie file: asked for each call, because a restart changes it. */
  readonly credentials: () => Promise<string>;
  readonly timeoutMs: number;
}

export interface RpcCall<T extends z.ZodType> {
  readonly method: string;
  readonly params?: readonly unknown[];
  readonly result: T;
  readonly signal: AbortSignal;
  /** Instead of the client's. */
  readonly timeoutMs?: number;
}

/** What bitcoind answered instead of a result. */
export class BitcoinRpcError extends Error {
  override readonly name = 'BitcoinRpcError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** bitcoind is starting: ask again. (Bitcoin Core, rpc/protocol.h) */
export const RPC_IN_WARMUP = -28;

const REPLY = z.looseObject({
  result: z.unknown(),
  error: z.looseObject({ code: z.int(), message: z.string() }).nullish(),
});

const MAX_REPLY_BYTES = 32 * 1024 * 1024;

/** Calls bitcoind's JSON-RPC, each call over its own connection. */
export class RpcClient {
  readonly #options: RpcClientOptions;

  constructor(options: RpcClientOptions) {
    this.#options = options;
  }

  /**
   * @throws BitcoinRpcError what bitcoind answered; DialError when nobody does; the signal's reason;
   * ZodError or SyntaxError when the answer is not of the asked shape.
   */
  async call<T extends z.ZodType>(call: RpcCall<T>): Promise<z.output<T>> {
    const { address, credentials, timeoutMs } = this.#options;
    const { method, params = [] } = call;
    const timeout = AbortSignal.timeout(call.timeoutMs ?? timeoutMs);
    const { status, body } = await httpPost({
      address,
      path: '/',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${toBase64(utf8(await credentials()))}`,
      },
      body: JSON.stringify({ jsonrpc: '1.0', id: 0, method, params }),
      maxReplyBytes: MAX_REPLY_BYTES,
      signal: AbortSignal.any([call.signal, timeout]),
    });
    if (status === 401) throw new BitcoinRpcError(status, 'bitcoind refuses the password');
    // Errors come with status 500 and the same shape.
    const reply = REPLY.parse(JSON.parse(body));
    if (reply.error) throw new BitcoinRpcError(reply.error.code, reply.error.message);
    return call.result.parse(reply.result);
  }
}
