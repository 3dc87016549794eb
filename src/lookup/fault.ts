import { type NodeId } from '../directory/node-id.ts';

/** Why a lookup, or one way of making it, failed (spec/relay.md section 8.3). */
export type LookupErrorCode =
  // Choosing nodes.
  | 'no-consensus'
  | 'too-few-relays'
  | 'no-gateway'
  | 'gateway-not-listed'
  | 'no-route'
  | 'bond-unproved'
  // On the way.
  | 'relay-unreachable'
  | 'link-broken'
  | 'no-answer'
  | 'undecryptable'
  | 'forged-error'
  | 'gateway-unreachable'
  | 'relay-timeout'
  | 'relay-does-not-list'
  | 'relay-quota'
  | 'unexpected-error'
  | 'key-unknown'
  | 'open-failed'
  | 'replay'
  | 'overload'
  // What the gateway signed.
  | 'bad-signature'
  | 'malformed-reply'
  | 'bad-request'
  | 'unsupported'
  | 'busy'
  | 'time-skew'
  | 'directory-mismatch'
  | 'not-synced'
  | 'cursor-stale'
  | 'history-too-long'
  | 'token-needed'
  | 'not-found'
  | 'false-answer'
  | 'unknown-tip'
  | 'transaction-rejected'
  | 'broadcast-incomplete'
  | 'not-seen'
  // Headers, and the Electrum server of a direct lookup.
  | 'headers-unavailable'
  | 'headers-refused'
  | 'server-unreachable'
  | 'server-error'
  | 'too-few-fee-answers';

export type CulpritRole = 'relay' | 'gateway' | 'server' | 'authorities' | 'unknown';

export interface Culprit {
  readonly role: CulpritRole;
  /** Undefined for a server and the authorities, which have no node id, and when it cannot be told. */
  readonly nodeId: NodeId | undefined;
}

export const NOBODY: Culprit = { role: 'unknown', nodeId: undefined };

/** A signed answer as it came: with the consensus, enough to show to others what the node signed. */
export interface SignedReply {
  readonly nodeId: NodeId;
  /** CBOR of the request. */
  readonly request: Uint8Array;
  /** CBOR of the reply, signature included. */
  readonly reply: Uint8Array;
}

export interface LookupErrorOptions extends ErrorOptions {
  readonly culprit: Culprit;
  readonly evidence?: readonly SignedReply[];
}

/** A failure that names the node at fault. The message is a whole sentence for the user. */
export class LookupError extends Error {
  override readonly name = 'LookupError';
  readonly code: LookupErrorCode;
  readonly culprit: Culprit;
  /** What the culprit signed, when that is what is wrong: every page of its answer. */
  readonly evidence: readonly SignedReply[];

  constructor(code: LookupErrorCode, message: string, options: LookupErrorOptions) {
    super(message, options);
    this.code = code;
    this.culprit = options.culprit;
    this.evidence = options.evidence ?? [];
  }
}
