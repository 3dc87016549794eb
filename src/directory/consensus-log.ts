import { concatBytes, equalBytes } from '../base/bytes.ts';
import { type Consensus, type LogHead } from './consensus.ts';
import { leafHash, logRoot, MerkleTree } from './merkle-log.ts';
import { oneAtATime } from '../base/in-turn.ts';
import { openGrowingFile } from '../io/growing-file.ts';
import { type DirectorySource } from './directory-source.ts';
import { DIRECTORY_KINDS, rangeDigest } from './directory-view.ts';

const ENTRY_BYTES = 32;
/** Of the entries that were missed: others are asked after it. */
const FETCH_MS = 15_000;

/** Gives the entries from index `from` to before `to` as others have them, or fewer, 32 bytes each. */
export type FetchEntries = (from: number, to: number) => Promise<readonly Uint8Array[]>;

/**
 * The hashes of all consensuses of the network, in order (spec/directory.md section 13). What is in
 * it is believed only as far as a consensus names it.
 */
export interface ConsensusLog extends AsyncDisposable {
  /** 32 bytes each, of which this file knows without a gap from the first on. */
  readonly entries: readonly Uint8Array[];
  /** Of the same entries. */
  readonly tree: MerkleTree;
  /** Puts an entry at its index, in the place of what was there and after; nothing across a gap. */
  record(index: number, entry: Uint8Array): Promise<void>;
  /**
   * The head of the log that ends with this consensus. Entries that are missing or wrong are asked
   * of one source after the other; one that fails is passed over.
   * @throws Error when nobody has those that the consensus names.
   */
  headAfter(consensus: Consensus, sources: readonly FetchEntries[]): Promise<LogHead>;
}

/** Opens or makes the file; what a crash left half written at its end is passed over. */
export async function openConsensusLog(path: string): Promise<ConsensusLog> {
  const file = await openGrowingFile(path);
  const bytes = await file.read(0, await file.size());
  const entries = entriesOf(bytes);
  const tree = new MerkleTree(entries.map(leafHash));

  const replaceFrom = async (index: number, added: readonly Uint8Array[]): Promise<void> => {
    await file.replaceEnd(index * ENTRY_BYTES, concatBytes(...added));
    entries.splice(index, Infinity, ...added);
    tree.replaceFrom(index, added.map(leafHash));
  };
  const record = async (index: number, entry: Uint8Array): Promise<void> => {
    const held = entries[index];
    const isHeld = held !== undefined && equalBytes(held, entry);
    if (!isHeld && index <= entries.length) await replaceFrom(index, [entry]);
  };
  const fetchLog = async (log: LogHead, sources: readonly FetchEntries[]): Promise<void> => {
    const { size } = log;
    // From where ours ends; if that does not do, ours is wrong.
    for (const from of new Set([Math.min(entries.length, size), 0])) {
      for (const fetch of sources) {
        const fetched = await fetch(from, size).catch(() => []);
        if (!isLog([...entries.slice(0, from), ...fetched], log)) continue;
        await replaceFrom(from, fetched);
        return;
      }
    }
    throw new Error('nobody has the log of the consensus before');
  };
  const headAfter: ConsensusLog['headAfter'] = async (consensus, sources) => {
    const { log, hash } = consensus;
    if (log === undefined) throw new Error('the consensus before names no log');
    const { origin, size } = log;
    if (!isLog(entries.slice(0, size), log)) await fetchLog(log, sources);
    const before = entries.slice(0, size);
    await record(size, hash);
    return { origin, size: size + 1, root: logRoot([...before, hash].map(leafHash)) };
  };
  const inTurn = oneAtATime();
  return {
    entries,
    tree,
    record: (index, entry) => inTurn(() => record(index, entry)),
    headAfter: (consensus, sources) => inTurn(() => headAfter(consensus, sources)),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

/** What a source has of them. */
export function entriesFrom(source: DirectorySource): FetchEntries {
  return async (from, to) => {
    const signal = AbortSignal.timeout(FETCH_MS);
    return entriesOf(await source.fetch(DIRECTORY_KINDS.logEntries, rangeDigest(from, to), signal));
  };
}

/** Of as many bytes as are whole entries. */
function entriesOf(bytes: Uint8Array): Uint8Array[] {
  const count = Math.floor(bytes.length / ENTRY_BYTES);
  return Array.from({ length: count }, (_, index) =>
    bytes.slice(index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES),
  );
}

function isLog(entries: readonly Uint8Array[], { size, root }: LogHead): boolean {
  return entries.length === size && equalBytes(logRoot(entries.map(leafHash)), root);
}
