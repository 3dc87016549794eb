import { fromBase64 } from '../base/bytes.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';

/** How long a key of a gateway lasts (spec/relay.md section 1). */
const EPOCH_MS = 86_400_000;

/**
 * Of the two key configurations that a consensus lists, the one of the epoch that is now: a
 * consensus is used for longer than a key may have left.
 */
export function keyConfigAt(
  { keyConfigs }: Pick<ConsensusNode, 'keyConfigs'>,
  now: number,
): Uint8Array {
  const keyId = Math.floor(now / EPOCH_MS) % 256;
  const next = fromBase64(keyConfigs.next);
  return next[0] === keyId ? next : fromBase64(keyConfigs.current);
}
