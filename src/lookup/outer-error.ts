import { type ConsensusNode } from '../directory/consensus-node.ts';
import { outerErrorInput } from '../relay/message.ts';
import { type OuterCode } from '../relay/relay-error.ts';
import { AttemptError, type Suspect } from './attempt-error.ts';
import { type LookupErrorCode } from './fault.ts';

interface OuterMeaning {
  /** Who says so: the error is signed with that node's reply key. */
  readonly by: 'relay' | 'gateway';
  readonly code: LookupErrorCode;
  /** Who can have caused what is said, given that the words are true or a lie of who says them. */
  readonly suspect: Suspect;
}

/** spec/relay.md section 6.2. */
const MEANINGS: Readonly<Record<OuterCode, OuterMeaning>> = {
  KEY_UNKNOWN: { by: 'gateway', code: 'key-unknown', suspect: 'gateway' },
  OPEN_FAILED: { by: 'gateway', code: 'open-failed', suspect: 'gateway' },
  REPLAY: { by: 'gateway', code: 'replay', suspect: 'either' },
  OVERLOAD: { by: 'gateway', code: 'overload', suspect: 'gateway' },
  UNREACHABLE: { by: 'relay', code: 'gateway-unreachable', suspect: 'either' },
  TIMEOUT: { by: 'relay', code: 'relay-timeout', suspect: 'either' },
  NOT_LISTED: { by: 'relay', code: 'relay-does-not-list', suspect: 'relay' },
  QUOTA: { by: 'relay', code: 'relay-quota', suspect: 'relay' },
  EXPIRED: { by: 'relay', code: 'unexpected-error', suspect: 'relay' },
};

const SIGNATURE_BYTES = 64;

export interface OuterAnswer {
  readonly status: OuterCode;
  /** A signature of 64 bytes, then zeros. */
  readonly body: Uint8Array;
  /** The cell that was sent. */
  readonly cell: Uint8Array;
  readonly relay: ConsensusNode;
  readonly gateway: ConsensusNode;
}

/**
 * What an answer without a reply says. An error that is not signed by who should say it was made up,
 * or answers another cell than ours: both are the relay's doing.
 */
export function readOuterError({ status, body, cell, relay, gateway }: OuterAnswer): AttemptError {
  const { by, code, suspect } = MEANINGS[status];
  const { nodeId, replyKey } = by === 'relay' ? relay : gateway;
  const said = outerErrorInput({ nodeId, code: status, cell });
  return replyKey.verify(said, body.subarray(0, SIGNATURE_BYTES))
    ? new AttemptError(code, { suspect })
    : new AttemptError('forged-error', { suspect: 'relay' });
}
