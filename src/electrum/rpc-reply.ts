import * as z from 'zod';
import { ElectrumClientError } from './client-error.ts';
import { ElectrumRpcError } from './rpc-error.ts';

/** What a line from a server is. */
export type ServerLine =
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: ElectrumRpcError }
  | { readonly kind: 'notification'; readonly method: string; readonly params: unknown };

const MAX_MESSAGE_CHARS = 500;

const notification = z.object({ method: z.string(), params: z.unknown().optional() });
const rpcError = z.object({ code: z.int(), message: z.string() });
const reply = z.object({
  id: z.int().min(0),
  error: z.union([rpcError, z.string().transform((message) => ({ code: 0, message }))]).nullish(),
  result: z.unknown().optional(),
});

/** @throws ElectrumClientError with 'bad-reply' unless the line is a reply or a notification. */
export function parseServerLine(line: string): ServerLine {
  const value = parseJson(line);
  if (typeof value === 'object' && value !== null && 'method' in value) {
    const parsed = notification.safeParse(value);
    if (parsed.success) {
      const { method, params } = parsed.data;
      return { kind: 'notification', method, params };
    }
  }
  const parsed = reply.safeParse(value);
  if (!parsed.success) throw badReply('a line that is neither reply nor notification');
  const { id, error, result } = parsed.data;
  if (error === undefined || error === null) {
    if (result === undefined) throw badReply('a reply with neither result nor error');
    return { kind: 'result', id, result };
  }
  return { kind: 'error', id, error: new ElectrumRpcError(error.code, printable(error.message)) };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // The cause would quote the line, which may hold what a wallet asked for.
    throw badReply('a line that is not JSON');
  }
}

function badReply(what: string): ElectrumClientError {
  return new ElectrumClientError('bad-reply', `the Electrum server sent ${what}`);
}

/** A server's words may reach a terminal. */
function printable(text: string): string {
  return text.slice(0, MAX_MESSAGE_CHARS).replace(/\p{Cc}/gu, ' ');
}
