import { messageOf } from '../base/errors.ts';
import { concatBytes, equalBytes } from '../base/bytes.ts';
import { HEADER_BYTES } from '../bitcoin/block-header.ts';
import type { ChainTip, HeaderChain } from './header-chain.ts';
import { Patience } from './patience.ts';
import { ProofError } from './proof-error.ts';
import { MAX_HEADERS } from './protocol.ts';

/** Someone who has block headers, believed only as far as their proof of work goes. */
export interface HeaderSource {
  /** Names the source when it is at fault. */
  readonly name: string;
  /**
   * Up to `count` <= 2016 headers of 80 bytes from the height `start` on; fewer at the source's
   * tip, none beyond it.
   */
  headers(
    start: number,
    count: number,
    options: { readonly signal: AbortSignal },
  ): Promise<Uint8Array>;
}

export interface SourceFault {
  readonly source: string;
  /** It sent what cannot be headers of this network; it did not answer in time; it failed. */
  readonly kind: 'lies' | 'stalls' | 'fails';
  readonly reason: string;
}

export interface SyncOptions {
  readonly chain: HeaderChain;
  readonly sources: readonly HeaderSource[];
  readonly signal: AbortSignal;
  /** How long a source may take for 2016 headers. */
  readonly timeoutMs?: number;
  /** How much longer than two others a source may take to say what is new. */
  readonly graceMs?: number;
  readonly onProgress?: (tip: ChainTip) => void;
}

/** No source was without fault: the chain may lack headers. */
export class HeaderSyncError extends Error {
  override readonly name = 'HeaderSyncError';
  readonly faults: readonly SourceFault[];

  constructor(faults: readonly SourceFault[]) {
    super(faults.map(({ source, reason }) => `${source}: ${reason}`).join('; '));
    this.faults = faults;
  }
}

const TIMEOUT_MS = 60_000;
const GRACE_MS = 2_000;
const CHUNK_BYTES = MAX_HEADERS * HEADER_BYTES;
/** Twice what mainnet has: bounds the memory a source can take with headers that cost it little. */
const MAX_BRANCH_BYTES = 2_000_000 * HEADER_BYTES;
/** How many chunks of 2016 headers are fetched from each source at once. */
const CHUNKS_PER_SOURCE = 4;

/**
 * Brings the chain to the most work that any source knows, fetching from all in parallel. A source
 * on a branch with less work is not at fault.
 * @returns which sources were at fault; they were not asked again.
 * @throws HeaderSyncError when all were; the signal's reason.
 */
export async function syncHeaders(options: SyncOptions): Promise<readonly SourceFault[]> {
  return await new HeaderSync(options).run();
}

class HeaderSync {
  readonly #options: SyncOptions;
  readonly #faults: SourceFault[] = [];
  readonly #good: Set<HeaderSource>;

  constructor(options: SyncOptions) {
    this.#options = options;
    this.#good = new Set(options.sources);
  }

  async run(): Promise<readonly SourceFault[]> {
    const { chain } = this.#options;
    let hash: string;
    let mayHaveMore: boolean;
    do {
      hash = chain.tip.hash;
      mayHaveMore = await this.#hearEachOut();
      if (mayHaveMore && chain.tip.hash !== hash) await this.#extendInParallel();
    } while (mayHaveMore && chain.tip.hash !== hash);
    if (this.#good.size === 0) throw new HeaderSyncError(this.#faults);
    return this.#faults;
  }

  /**
   * Asks each source what it has from the tip on, and those that disagree for their whole branch.
   * Resolves to whether one of them may have more than it sent.
   */
  async #hearEachOut(): Promise<boolean> {
    const { height } = this.#options.chain.tip;
    const patience = new Patience(this.#options.graceMs ?? GRACE_MS);
    let mayHaveMore = false;
    const asked = [...this.#good].map(async (source) => {
      const headers = await this.#fetch(source, height, { hurry: patience.signal });
      if (headers !== undefined) patience.answered();
      return { source, headers };
    });
    const answers = await Promise.all(asked);
    patience.end();
    for (const { source, headers } of answers) {
      if (headers === undefined) continue;
      const known =
        headers.length > 0 && this.#connect(source, { at: height, headers }) !== 'elsewhere';
      if (!known) await this.#followBranch(source);
      if (!known || headers.length === CHUNK_BYTES) mayHaveMore = true;
    }
    return mayHaveMore;
  }

  /** Fetches beyond the tip until no source has more. Each round adds headers or loses a source. */
  async #extendInParallel(): Promise<void> {
    const { chain } = this.#options;
    const able = new Set(this.#good);
    for (let width = able.size; able.size > 0; width *= 2) {
      const turns = Array.from({ length: CHUNKS_PER_SOURCE }, () => [...able])
        .flat()
        .slice(0, width);
      const start = chain.tip.height + 1;
      const asked = turns.map(async (source, index) => {
        const at = start + index * MAX_HEADERS;
        return { source, at, headers: await this.#fetch(source, at) };
      });
      for (const { source, at, headers } of await Promise.all(asked)) {
        const fits = headers !== undefined && at === chain.tip.height + 1;
        const refused = fits && this.#connect(source, { at, headers }) !== 'connected';
        if (refused || headers?.length !== CHUNK_BYTES) able.delete(source);
      }
    }
  }

  /** Fetches all that a source has since it left the chain, until that has more work or ends. */
  async #followBranch(source: HeaderSource): Promise<void> {
    const common = await this.#lastCommonHeight(source);
    if (common === undefined) return;
    const parts: Uint8Array[] = [];
    let bytes = 0;
    let tryAt = 0;
    for (;;) {
      const part = await this.#fetch(source, common + 1 + bytes / HEADER_BYTES);
      if (part === undefined) return;
      parts.push(part);
      bytes += part.length;
      const ended = part.length < CHUNK_BYTES;
      if (!ended && bytes < tryAt) continue;
      const headers = concatBytes(...parts);
      const outcome = this.#connect(source, { at: common + 1, headers });
      if (outcome === 'elsewhere') {
        this.#blame(source, { kind: 'lies', reason: 'headers that do not build on each other' });
      } else if (bytes > MAX_BRANCH_BYTES) {
        this.#blame(source, { kind: 'lies', reason: 'a branch without an end' });
      }
      if (outcome !== 'less-work' || ended || !this.#good.has(source)) return;
      // Each try checks the branch anew, so the next waits until it is twice as long.
      tryAt = 2 * bytes;
    }
  }

  /** Steps back by doubled steps. Undefined when the source is at fault. */
  async #lastCommonHeight(source: HeaderSource): Promise<number | undefined> {
    const { chain } = this.#options;
    const tip = chain.tip.height;
    for (let back = 1; ; back *= 2) {
      const height = Math.max(0, tip - back);
      const header = await this.#fetch(source, height, { count: 1 });
      if (header === undefined) return undefined;
      if (equalBytes(header, chain.rawAt(height, 1))) return height;
      if (height === 0) {
        this.#blame(source, { kind: 'lies', reason: 'headers of another network' });
        return undefined;
      }
    }
  }

  /** Undefined when the source is at fault. */
  async #fetch(
    source: HeaderSource,
    start: number,
    { count = MAX_HEADERS, hurry }: { count?: number; hurry?: AbortSignal } = {},
  ): Promise<Uint8Array | undefined> {
    const { signal, timeoutMs = TIMEOUT_MS } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const late = hurry === undefined ? timeout : AbortSignal.any([timeout, hurry]);
    try {
      const headers = await untilAborted(AbortSignal.any([signal, late]), (any) =>
        source.headers(start, count, { signal: any }),
      );
      if (headers.length % HEADER_BYTES === 0 && headers.length <= count * HEADER_BYTES) {
        return headers;
      }
      this.#blame(source, { kind: 'lies', reason: `${headers.length} bytes for ${count} headers` });
    } catch (error) {
      signal.throwIfAborted();
      const reason = messageOf(error);
      this.#blame(source, late.aborted ? { kind: 'stalls', reason } : { kind: 'fails', reason });
    }
    return undefined;
  }

  #connect(
    source: HeaderSource,
    { at, headers }: { at: number; headers: Uint8Array },
  ): 'connected' | 'elsewhere' | 'less-work' | 'refused' {
    const { chain, onProgress } = this.#options;
    try {
      const { from, tip } = chain.connect(at, headers);
      if (from <= tip.height) onProgress?.(tip);
      return 'connected';
    } catch (error) {
      if (!(error instanceof ProofError)) throw error;
      if (error.code === 'less-work') return 'less-work';
      if (error.code === 'unknown-parent') return 'elsewhere';
      this.#blame(source, { kind: 'lies', reason: error.message });
      return 'refused';
    }
  }

  #blame(source: HeaderSource, fault: Omit<SourceFault, 'source'>): void {
    if (this.#good.delete(source)) this.#faults.push({ source: source.name, ...fault });
  }
}

/** Rejects when the signal aborts, also when the work does not listen to it. */
async function untilAborted<T>(
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  return await new Promise<T>((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    void work(signal)
      .then(resolve, reject)
      .finally(() => {
        signal.removeEventListener('abort', abort);
      });
  });
}
