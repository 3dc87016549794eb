import * as z from 'zod';

/** What the sender of a request wants to find in the reply; undefined when it wants none. */
export type RequestId = string | number | null | undefined;

export interface RpcRequest {
  readonly id: RequestId;
  readonly method: string;
  /** Unchecked. */
  readonly params: unknown;
}

const MAX_ID_CHARS = 256;

const requestId = z.union([z.number(), z.string().max(MAX_ID_CHARS), z.null()]);
const rpcRequest = z.object({
  id: requestId.optional(),
  method: z.string().max(256),
  params: z.unknown().optional(),
});

/** Undefined unless the value has the shape of a JSON-RPC request, 1.0 or 2.0. */
export function parseRequest(value: unknown): RpcRequest | undefined {
  const parsed = rpcRequest.safeParse(value);
  if (!parsed.success) return undefined;
  const { id, method, params } = parsed.data;
  return { id, method, params };
}

/** The id of what may be no request, for the reply that says so. */
export function idOf(value: unknown): string | number | null {
  const parsed = z.object({ id: requestId }).safeParse(value);
  return parsed.success ? parsed.data.id : null;
}
