import { txidOf } from '../bitcoin/transaction.ts';
import { type BroadcastBody, decodeBroadcastBody } from '../query/bodies.ts';
import { splitUpload } from '../query/upload.ts';
import { LookupError } from './fault.ts';
import { type Put } from './fetch-history.ts';
import { gatewayLied, readBody } from './read-body.ts';

/** How often all parts are sent: an answer that is lost on the way may be the one with the txid. */
const UPLOADS = 2;

/**
 * Sends the parts of a transaction together. Resolves to its txid once the gateway says that the
 * network took it.
 * @throws LookupError; MalformedBytesError or RangeError when it is not a transaction that can be sent.
 */
export async function broadcastInParts(raw: Uint8Array, put: Put): Promise<string> {
  const txid = txidOf(raw);
  const parts = splitUpload(raw);
  let gateway: string | undefined;
  for (let upload = 1; upload <= UPLOADS; upload++) {
    const answers = await Promise.all(parts.map(put));
    for (const answer of answers) {
      gateway = answer.evidence.nodeId;
      const body: BroadcastBody = readBody(answer, decodeBroadcastBody);
      if (body.txid === null) continue;
      if (body.txid === txid) return txid;
      throw gatewayLied(answer, 'it names another transaction than the one it was given');
    }
  }
  throw new LookupError(
    'broadcast-incomplete',
    `Gateway ${gateway ?? ''} was given the whole transaction and says that parts are missing.`,
    { culprit: { role: 'gateway', nodeId: gateway } },
  );
}
