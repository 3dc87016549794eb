import { equalBytes } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import { HEADER_BYTES } from '../bitcoin/block-header.ts';
import type { NetworkParams } from '../bitcoin/networks.ts';
import { type GrowingFile, openGrowingFile } from '../io/growing-file.ts';
import { HeaderChain } from './header-chain.ts';
import { ProofError } from './proof-error.ts';
import { MAX_HEADERS } from './protocol.ts';

/** A header chain on disk, so that a restart fetches only what is new. */
export interface HeaderStore extends AsyncDisposable {
  readonly chain: HeaderChain;
  /** Writes what changed in the chain. A crash meanwhile costs headers at the end, never a wrong one. */
  save(): Promise<void>;
}

/**
 * Opens or creates a file of headers, 80 bytes each from the first block on. The file is believed no
 * more than the network: every header is checked, and the file is cut at most 2015 headers before a
 * bad one.
 * @throws UserError when the file is of another network.
 */
export async function openHeaderStore(
  path: string,
  { params, clock }: { readonly params: NetworkParams; readonly clock: Clock },
): Promise<HeaderStore> {
  const file = await openGrowingFile(path);
  try {
    const chain = new HeaderChain(params, clock);
    await load(file, { chain, path });
    return {
      chain,
      save: () => save(file, chain),
      [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
    };
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

async function load(
  file: GrowingFile,
  { chain, path }: { readonly chain: HeaderChain; readonly path: string },
): Promise<void> {
  const first = await file.read(0, HEADER_BYTES);
  if (first.length === HEADER_BYTES && !equalBytes(first, chain.params.genesis)) {
    throw new UserError(`the headers in ${path} are of another network`, {
      hint: 'Use another data directory, or delete the file: it is fetched again.',
    });
  }
  for (;;) {
    const start = chain.tip.height + 1;
    const bytes = await file.read(start * HEADER_BYTES, MAX_HEADERS * HEADER_BYTES);
    const whole = bytes.subarray(0, bytes.length - (bytes.length % HEADER_BYTES));
    if (whole.length === 0) return;
    try {
      chain.connect(start, whole);
    } catch (error) {
      if (!(error instanceof ProofError)) throw error;
      await file.replaceEnd(start * HEADER_BYTES, new Uint8Array());
      return;
    }
  }
}

async function save(file: GrowingFile, chain: HeaderChain): Promise<void> {
  const stored = Math.floor((await file.size()) / HEADER_BYTES);
  let same = Math.min(stored, chain.tip.height + 1);
  // What is in the file was a chain when it was opened, and equal headers have equal ancestors.
  while (same > 0) {
    const header = await file.read((same - 1) * HEADER_BYTES, HEADER_BYTES);
    if (equalBytes(header, chain.rawAt(same - 1, 1))) break;
    same -= 1;
  }
  const missing = chain.tip.height + 1 - same;
  if (missing > 0 || stored > same) {
    await file.replaceEnd(same * HEADER_BYTES, chain.rawAt(same, missing));
  }
}
