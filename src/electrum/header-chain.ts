import { equalBytes, MalformedBytesError } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import {
  BITS_OFFSET,
  type BlockHeader,
  HEADER_BYTES,
  parseHeader,
} from '../bitcoin/block-header.ts';
import { workOf } from '../bitcoin/compact-target.ts';
import type { NetworkParams } from '../bitcoin/networks.ts';
import { checkHeaders } from './header-rules.ts';
import { ProofError } from './proof-error.ts';

export interface ChainTip {
  readonly height: number;
  /** Hex in display order. */
  readonly hash: string;
  /** Seconds since the Unix epoch, as the miner said. */
  readonly time: number;
}

export interface Connected {
  /** The first height that changed; over the tip's when nothing did. */
  readonly from: number;
  readonly tip: ChainTip;
}

/**
 * The valid chain of headers with the most work of all that were offered, from the network's first
 * block. Checked: proof of work, retarget, median time, at most 2 h in the future. Not checked,
 * because headers do not show it: transactions, and the signatures of signet's blocks. Takes 80
 * bytes a header.
 */
export class HeaderChain {
  readonly params: NetworkParams;
  readonly #now: Clock;
  /** Has room for more headers than there are. */
  #bytes: Uint8Array;
  #count = 1;
  #tip: ChainTip;

  constructor(params: NetworkParams, now: Clock) {
    this.params = params;
    this.#now = now;
    this.#bytes = Uint8Array.from(params.genesis);
    this.#tip = tipOf(0, params.genesis);
  }

  get tip(): ChainTip {
    return this.#tip;
  }

  headerAt(height: number): BlockHeader | undefined {
    if (!Number.isInteger(height) || height < 0 || height >= this.#count) return undefined;
    return parseHeader(this.#view(height, height + 1));
  }

  /** A copy of up to `count` headers; fewer where the chain ends, none beyond it. */
  rawAt(height: number, count: number): Uint8Array {
    return this.#view(height, Math.max(height, Math.min(height + count, this.#count))).slice();
  }

  /**
   * Adds headers, the first of them at `startHeight`. Those that are known already may be among
   * them. Where they leave the chain they replace its end if they bring more work.
   * @throws ProofError, and leaves the chain as it was, when a header is invalid, when the chain
   * does not hold the first one's parent, or when a branch has no more work than what it would
   * replace. MalformedBytesError when the length is no multiple of 80.
   */
  connect(startHeight: number, headers: Uint8Array): Connected {
    if (headers.length % HEADER_BYTES !== 0) throw new MalformedBytesError('a part of a header');
    const known = this.#knownCount(startHeight, headers);
    const from = startHeight + known;
    const branch = headers.subarray(known * HEADER_BYTES);
    if (branch.length === 0) return { from: this.#count, tip: this.#tip };
    if (from < 1 || from > this.#count) {
      throw new ProofError('unknown-parent', `there is no header at height ${from - 1}`);
    }
    checkHeaders({
      params: this.params,
      before: this.#view(0, from),
      branch,
      latestTime: Math.floor(this.#now() / 1000) + MAX_FUTURE_SECONDS,
    });
    const replaced = this.#view(from, this.#count);
    if (replaced.length > 0 && totalWork(branch) <= totalWork(replaced)) {
      throw new ProofError('less-work', `the branch from height ${from} has no more work`);
    }
    this.#replace(from, branch);
    this.#tip = tipOf(this.#count - 1, branch.subarray(-HEADER_BYTES));
    return { from, tip: this.#tip };
  }

  #knownCount(startHeight: number, headers: Uint8Array): number {
    let known = 0;
    for (let offset = 0; offset < headers.length; offset += HEADER_BYTES) {
      const height = startHeight + known;
      if (height < 0 || height >= this.#count) break;
      const header = headers.subarray(offset, offset + HEADER_BYTES);
      if (!equalBytes(header, this.#view(height, height + 1))) break;
      known += 1;
    }
    return known;
  }

  #replace(from: number, branch: Uint8Array): void {
    const length = from * HEADER_BYTES + branch.length;
    if (length > this.#bytes.length) {
      // Half as much again, because a fixed step would copy a long chain too often.
      const grown = new Uint8Array(Math.ceil((1.5 * length) / HEADER_BYTES) * HEADER_BYTES);
      grown.set(this.#view(0, from));
      this.#bytes = grown;
    }
    this.#bytes.set(branch, from * HEADER_BYTES);
    this.#count = length / HEADER_BYTES;
  }

  #view(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(from * HEADER_BYTES, to * HEADER_BYTES);
  }
}

/** Bitcoin Core, MAX_FUTURE_BLOCK_TIME. */
const MAX_FUTURE_SECONDS = 7200;

function tipOf(height: number, raw: Uint8Array): ChainTip {
  const { hash, time } = parseHeader(raw);
  return { height, hash, time };
}

function totalWork(headers: Uint8Array): bigint {
  const view = new DataView(headers.buffer, headers.byteOffset, headers.byteLength);
  let work = 0n;
  let lastBits = 0;
  let lastWork = 0n;
  for (let offset = 0; offset < headers.length; offset += HEADER_BYTES) {
    const bits = view.getUint32(offset + BITS_OFFSET, true);
    if (bits !== lastBits) {
      lastBits = bits;
      lastWork = workOf(bits);
    }
    work += lastWork;
  }
  return work;
}
