import { equalBytes } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import { type DirectorySource } from './directory-source.ts';
import { DIRECTORY_KINDS } from './directory-view.ts';
import { type EvidenceFiles, nameOfEvidence } from './evidence-files.ts';
import { type EvidenceEntry, parseEvidenceIndex } from './evidence-index.ts';
import { MAX_CONSENSUS_BYTES } from './limits.ts';
import { decodeNote, digestOfText, textOfNote } from './note.ts';

const NO_DIGEST = new Uint8Array(32);

/** Fetches the evidence that one source holds, note by note, because two consensuses can be 8 MB. */
export class EvidenceCollector {
  readonly #files: EvidenceFiles;
  readonly #source: DirectorySource;
  /** Of what the source listed last, and so 64 at most: what was fetched is not fetched again. */
  #tried: ReadonlySet<string> = new Set();

  constructor(files: EvidenceFiles, source: DirectorySource) {
    this.#files = files;
    this.#source = source;
  }

  /** What the source says that it has. @throws DirectoryError as `parseEvidenceIndex`. */
  async list(signal: AbortSignal): Promise<readonly EvidenceEntry[]> {
    const index = await this.#source.fetch(DIRECTORY_KINDS.evidence, NO_DIGEST, signal);
    return index.length === 0 ? [] : parseEvidenceIndex(index);
  }

  /**
   * Takes what we lack of that; says how many pairs are news.
   * @throws DirectoryError for the first that is not evidence, as `convict`; `wrong-digest`; `malformed` when
   * it is other evidence than was listed. The others are taken all the same.
   */
  async take(entries: readonly EvidenceEntry[], signal: AbortSignal): Promise<number> {
    const before = this.#tried;
    const tried = new Set<string>();
    this.#tried = tried;
    let news = 0;
    let refusal: DirectoryError | undefined;
    for (const entry of entries) {
      const name = nameOfEvidence(entry);
      if (before.has(name)) tried.add(name);
      if (this.#files.has(entry) || tried.has(name)) continue;
      try {
        if (await this.#takePair(entry, signal)) news += 1;
      } catch (error) {
        if (!(error instanceof DirectoryError)) throw error;
        refusal ??= error;
      }
      tried.add(name);
    }
    await this.#files.save();
    if (refusal !== undefined) throw refusal;
    return news;
  }

  /** Whether it was worth keeping. */
  async #takePair(entry: EvidenceEntry, signal: AbortSignal): Promise<boolean> {
    const notes: string[] = [];
    for (const digest of entry.digests) {
      const bytes = await this.#source.fetch(DIRECTORY_KINDS.evidence, digest, signal);
      const note = decodeNote(bytes, MAX_CONSENSUS_BYTES);
      if (!equalBytes(digestOfText(textOfNote(note)), digest)) {
        throw new DirectoryError('wrong-digest', 'not the note that was asked for');
      }
      notes.push(note);
    }
    const found = await this.#files.keep(notes);
    if (nameOfEvidence(found) !== nameOfEvidence(entry)) {
      throw new DirectoryError('malformed', 'other evidence than the index tells of');
    }
    return this.#files.has(found);
  }
}
