import { equalBytes, toHex } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import { type DirectorySource } from './directory-source.ts';
import { DIRECTORY_KINDS } from './directory-view.ts';
import { type EvidenceFiles } from './evidence-files.ts';
import { type EvidenceEntry, parseEvidenceIndex } from './evidence-index.ts';
import { MAX_CONSENSUS_BYTES } from './limits.ts';
import { decodeNote, digestOfText, textOfNote } from './note.ts';

const NO_DIGEST = new Uint8Array(32);
/** What was fetched once and convicts nobody, or nobody new, is not fetched again. */
const MAX_TRIED = 4096;

/** Fetches evidence that others hold, note by note, because two consensuses can be 8 MB. */
export class EvidenceCollector {
  readonly #files: EvidenceFiles;
  readonly #tried = new Set<string>();

  constructor(files: EvidenceFiles) {
    this.#files = files;
  }

  /**
   * Takes what the source has and we lack; says how many pairs it lists.
   * @throws DirectoryError for the first that is not evidence, as `convict`; `wrong-digest`. What was
   * taken before stays.
   */
  async collect(source: DirectorySource, signal: AbortSignal): Promise<number> {
    const index = await source.fetch(DIRECTORY_KINDS.evidence, NO_DIGEST, signal);
    const entries = index.length === 0 ? [] : parseEvidenceIndex(index);
    for (const entry of entries) {
      const name = entry.digests.map(toHex).join(' ');
      if (this.#files.has(entry) || this.#tried.has(name)) continue;
      if (this.#tried.size >= MAX_TRIED) throw new DirectoryError('busy', 'too much evidence');
      const pair = await fetchPair(entry, source, signal);
      this.#tried.add(name);
      await this.#files.keep(pair);
    }
    return entries.length;
  }
}

async function fetchPair(
  { digests }: EvidenceEntry,
  source: DirectorySource,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const digest of digests) {
    const bytes = await source.fetch(DIRECTORY_KINDS.evidence, digest, signal);
    const note = decodeNote(bytes, MAX_CONSENSUS_BYTES);
    if (!equalBytes(digestOfText(textOfNote(note)), digest)) {
      throw new DirectoryError('wrong-digest', 'not the note that was asked for');
    }
    notes.push(note);
  }
  return notes;
}
