import { messageOf } from '../base/errors.ts';
import { ElectrumClientError } from '../electrum/client-error.ts';
import { HeaderSyncError } from '../electrum/header-sync.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { ElectrumRpcError } from '../electrum/rpc-error.ts';
import { DialError } from '../io/dial.ts';
import { type Culprit, LookupError, type LookupErrorCode } from './fault.ts';

export const SERVER: Culprit = { role: 'server', nodeId: undefined };

const WHAT = {
  'false-answer': 'gave an answer that the block chain refutes',
  'headers-unavailable': 'gave no valid block headers',
  'server-error': 'refused to answer',
  'server-unreachable': 'did not answer',
} as const satisfies Partial<Record<LookupErrorCode, string>>;

/** Does the work; what the server did wrong comes out as a fault of the server. */
export async function blamingServer<T>(onion: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = codeOf(cause);
    if (code === undefined) throw cause;
    const message = `The server at ${onion} ${WHAT[code]}: ${messageOf(cause)}.`;
    throw new LookupError(code, message, { culprit: SERVER, cause });
  }
}

function codeOf(error: unknown): keyof typeof WHAT | undefined {
  if (error instanceof ProofError) return 'false-answer';
  if (error instanceof HeaderSyncError) return 'headers-unavailable';
  if (error instanceof ElectrumRpcError) return 'server-error';
  if (error instanceof DialError) return 'server-unreachable';
  if (!(error instanceof ElectrumClientError)) return undefined;
  return error.code === 'bad-reply' ? 'server-error' : 'server-unreachable';
}
