import { bitsOf, targetOf } from '../bitcoin/compact-target.ts';
import { BLOCK_SPACING_SECONDS, type NetworkParams } from '../bitcoin/networks.ts';
import type { HeaderHistory } from './header-history.ts';

/** A retarget changes the target by no more than this factor. */
const MAX_FACTOR = 4;

/**
 * Says which target each header must have, one header after another. Source: Bitcoin Core,
 * GetNextWorkRequired in pow.cpp; BIP 94.
 */
export class TargetRule {
  readonly #params: NetworkParams;
  readonly #history: HeaderHistory;
  /** bip94: the compact target of a block that does not come 20 minutes late. */
  #ordinaryBits = 0;

  /** @param height of the first header that the rule will be asked for. */
  constructor(
    params: NetworkParams,
    { history, height }: { history: HeaderHistory; height: number },
  ) {
    this.#params = params;
    this.#history = history;
    const periodStart = height - 1 - ((height - 1) % params.periodBlocks);
    for (let at = periodStart; at < height; at += 1) this.accept(at);
  }

  /** The compact target that the header at this height must have. */
  bitsFor(height: number): number {
    const { retarget, powLimit, periodBlocks } = this.#params;
    if (retarget === 'fixed') return powLimit;
    if (height % periodBlocks === 0) return this.#retargeted(height);
    if (retarget === 'every-period') return this.#history.bitsAt(height - 1);
    const sinceLast = this.#history.timeAt(height) - this.#history.timeAt(height - 1);
    return sinceLast > 2 * BLOCK_SPACING_SECONDS ? powLimit : this.#ordinaryBits;
  }

  /** Takes the header at this height into account. */
  accept(height: number): void {
    const bits = this.#history.bitsAt(height);
    const { powLimit, periodBlocks } = this.#params;
    if (height % periodBlocks === 0 || bits !== powLimit) this.#ordinaryBits = bits;
  }

  #retargeted(height: number): number {
    const { retarget, powLimit, periodBlocks } = this.#params;
    const start = height - periodBlocks;
    const planned = periodBlocks * BLOCK_SPACING_SECONDS;
    // From the first to the last block of a period there is one spacing less than planned: a slip
    // in the first Bitcoin that is now the rule.
    const took = this.#history.timeAt(height - 1) - this.#history.timeAt(start);
    const counted = Math.min(Math.max(took, planned / MAX_FACTOR), planned * MAX_FACTOR);
    const bits = this.#history.bitsAt(retarget === 'bip94' ? start : height - 1);
    const target = (targetOf(bits) * BigInt(counted)) / BigInt(planned);
    const limit = targetOf(powLimit);
    return bitsOf(target < limit ? target : limit);
  }
}
