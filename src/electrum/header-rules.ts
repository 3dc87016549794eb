import { HEADER_BYTES, PREVIOUS_HASH_OFFSET } from '../bitcoin/block-header.ts';
import { targetOf } from '../bitcoin/compact-target.ts';
import { doubleSha256 } from '../bitcoin/double-sha256.ts';
import type { NetworkParams } from '../bitcoin/networks.ts';
import { HeaderHistory } from './header-history.ts';
import { ProofError } from './proof-error.ts';
import { TargetRule } from './target-rule.ts';

export interface HeaderCandidates {
  readonly params: NetworkParams;
  /** The valid headers, from the first block on, that the branch builds on. */
  readonly before: Uint8Array;
  readonly branch: Uint8Array;
  /** Seconds since the Unix epoch; headers with a later time are not valid yet. */
  readonly latestTime: number;
}

/** How many headers count for the median time, and how far a bip94 period may go back. */
const MEDIAN_BLOCKS = 11;
const MAX_TIMEWARP_SECONDS = 600;

/**
 * Checks that each header builds on the one before, has a plausible time, the target that the
 * network's rule says, and the proof of work for it. Headers have 80 bytes each. Source: Bitcoin
 * Core, ContextualCheckBlockHeader in validation.cpp, and pow.cpp.
 * @throws ProofError at the first header that does not.
 */
export function checkHeaders({ params, before, branch, latestTime }: HeaderCandidates): void {
  const history = new HeaderHistory(before, branch);
  let height = before.length / HEADER_BYTES;
  const rule = new TargetRule(params, { history, height });
  const bytes = Buffer.from(branch.buffer, branch.byteOffset, branch.length);
  let parent = doubleSha256(before.subarray(-HEADER_BYTES));
  let target = new Uint8Array(32);
  let targetBits = 0;
  for (let offset = 0; offset < bytes.length; offset += HEADER_BYTES, height += 1) {
    const linkAt = offset + PREVIOUS_HASH_OFFSET;
    if (bytes.compare(parent, 0, 32, linkAt, linkAt + 32) !== 0) {
      throw new ProofError('unknown-parent', `header ${height} does not build on the one before`);
    }
    const time = history.timeAt(height);
    const bits = history.bitsAt(height);
    const timewarp =
      params.retarget === 'bip94' &&
      height % params.periodBlocks === 0 &&
      time < history.timeAt(height - 1) - MAX_TIMEWARP_SECONDS;
    if (time > latestTime || timewarp || !isAfterMedian(history, height)) {
      throw new ProofError('bad-time', `header ${height} has a time that cannot be`);
    }
    if (bits !== rule.bitsFor(height)) {
      throw new ProofError(
        'bad-retarget',
        `header ${height} has another target than the rule says`,
      );
    }
    if (bits !== targetBits) {
      target = littleEndian(targetOf(bits));
      targetBits = bits;
    }
    parent = doubleSha256(bytes.subarray(offset, offset + HEADER_BYTES));
    if (exceeds(parent, target)) {
      throw new ProofError('bad-proof-of-work', `header ${height} lacks its proof of work`);
    }
    rule.accept(height);
  }
}

/** Whether the header's time is over the median of the eleven before it, or of all if there are fewer. */
function isAfterMedian(history: HeaderHistory, height: number): boolean {
  const window = Math.min(MEDIAN_BLOCKS, height);
  const time = history.timeAt(height);
  let earlier = 0;
  for (let back = 1; back <= window; back += 1) {
    if (history.timeAt(height - back) < time) earlier += 1;
  }
  return earlier > Math.floor(window / 2);
}

/** Compares 256-bit numbers, lowest byte first, without a BigInt for each header. */
function exceeds(hash: Uint8Array, target: Uint8Array): boolean {
  for (let index = 31; index >= 0; index -= 1) {
    const difference = (hash[index] ?? 0) - (target[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function littleEndian(target: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(32);
  for (let index = 0, rest = target; rest > 0n; index += 1, rest >>= 8n) {
    bytes[index] = Number(rest & 0xffn);
  }
  return bytes;
}
