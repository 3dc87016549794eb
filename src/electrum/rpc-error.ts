import type { RequestId } from './rpc-request.ts';

/** The error codes used here: those of JSON-RPC 2.0, then Electrum's own. */
export const RPC_CODE = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internalError: -32_603,
  badRequest: 1,
  daemonError: 2,
} as const;

/** An error that an Electrum server answered, or that a handler wants answered. */
export class ElectrumRpcError extends Error {
  override readonly name = 'ElectrumRpcError';
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The line that answers a request with an error. */
export function errorReply(id: RequestId, { code, message }: ElectrumRpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error: { code, message } });
}
