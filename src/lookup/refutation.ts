import { messageOf } from '../base/errors.ts';
import { type ProofError } from '../electrum/proof-error.ts';
import { type Culprit, LookupError, NOBODY, type SignedReply } from './fault.ts';
import { type ChainTip } from './lookup.ts';

/** What a gateway signed, and up to which block it went. */
export interface Claimed {
  readonly tip: ChainTip;
  readonly evidence: readonly SignedReply[];
}

/**
 * What it means that the block chain does not bear out a gateway's answer. An honest gateway may be on
 * the other branch for a while when two blocks were found at once: it is at fault that nothing comes of
 * the lookup, and yet no liar. Blocks may be long in coming, which is nobody's fault.
 */
export function refutationOf(
  cause: ProofError,
  { tip, evidence }: Claimed,
  newest: ChainTip,
): LookupError {
  const nodeId = evidence[0]?.nodeId ?? '';
  const gateway: Culprit = { role: 'gateway', nodeId };
  const why = messageOf(cause);
  switch (cause.code) {
    case 'unknown-tip': {
      const message = `Gateway ${nodeId} answered as of another chain than the relays tell of: ${why}.`;
      return new LookupError('unknown-tip', message, { culprit: gateway, evidence, cause });
    }
    case 'stale-tip': {
      const message = `Gateway ${nodeId} is behind, or no new block came: ${why}.`;
      const culprit = tip.height < newest.height ? gateway : NOBODY;
      return new LookupError('not-synced', message, { culprit, evidence, cause });
    }
    default: {
      const message = `Gateway ${nodeId} signed an answer that the block chain refutes: ${why}.`;
      return new LookupError('false-answer', message, { culprit: gateway, evidence, cause });
    }
  }
}
