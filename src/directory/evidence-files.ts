import { fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { oneAtATime } from '../base/in-turn.ts';
import { RecordDirectory } from '../io/record-directory.ts';
import { DirectoryError } from './directory-error.ts';
import {
  convict,
  type Equivocation,
  type NotePair,
  parseEvidence,
  renderEvidence,
} from './equivocation.ts';
import { type EvidenceEntry, renderEvidenceIndex } from './evidence-index.ts';
import { type Policy } from './policy.ts';

/**
 * One convicts; some more show that it was no accident. What a liar says twice every slot must not
 * fill the disk, nor keep out what convicts another.
 */
const MOST_OF_EACH = 4;

/** Pairs of notes that convict an authority: four for each, no pair twice; of each one is shown to whoever asks. */
export class EvidenceFiles {
  readonly #records: RecordDirectory;
  readonly #policy: Policy;
  /** How many there are by the name of the authority. */
  readonly #counts = new Map<string, number>();
  /** The first of each authority. */
  readonly #shown: Equivocation[] = [];
  /** Of those shown, by the SHA-256 of the text. */
  readonly #notes = new Map<string, Uint8Array>();
  /** Documents that count and are not on disk yet, by their names. */
  readonly #unwritten = new Map<string, string>();
  readonly #inTurn = oneAtATime();
  #fork: Equivocation | undefined;

  private constructor(records: RecordDirectory, policy: Policy) {
    this.#records = records;
    this.#policy = policy;
  }

  /** Documents that convict nobody of this policy stay where they are, and do not count. */
  static async open(path: string, policy: Policy): Promise<EvidenceFiles> {
    const files = new EvidenceFiles(await RecordDirectory.open(path), policy);
    for (const name of files.names) files.#takeIn(await files.read(name));
    return files;
  }

  /** In the order in which they are shown. */
  get names(): readonly string[] {
    return this.#records.names;
  }

  /** Two consensuses of one epoch that are signed by a quorum each, if there are such. */
  get fork(): Equivocation | undefined {
    return this.#fork;
  }

  /** The document of spec/directory.md section 15. */
  read(name: string): Promise<Uint8Array> {
    return this.#records.read(name);
  }

  has(entry: EvidenceEntry): boolean {
    const name = nameOfEvidence(entry);
    return this.#unwritten.has(name) || this.#records.names.includes(name);
  }

  /** What is shown: the index for a digest of zeros, else a note by the SHA-256 of its text. */
  noteOf(digest: Uint8Array): Uint8Array | undefined {
    if (digest.every((byte) => byte === 0)) return utf8(renderEvidenceIndex(this.#shown));
    return this.#notes.get(toHex(digest));
  }

  /**
   * It counts at once, for a disk that cannot be written must not hide a fork.
   * @throws DirectoryError when the notes convict nobody: as `convict`; what writing throws: it is
   * tried again with the next, and by `save`.
   */
  async keep(notes: readonly (Uint8Array | string)[]): Promise<Equivocation> {
    const [one = '', other = ''] = notes.map((note) =>
      typeof note === 'string' ? note : fromUtf8(note),
    );
    const pair = [one, other] as const;
    const found = convict(pair, this.#policy);
    if (!this.has(found) && this.#isNews(found)) {
      this.#count(found, pair);
      this.#unwritten.set(nameOfEvidence(found), renderEvidence(pair));
    }
    await this.save();
    return found;
  }

  /** Writes what could not be written when it came. */
  save(): Promise<void> {
    return this.#inTurn(async () => {
      for (const [name, document] of this.#unwritten) {
        await this.#records.write(name, document);
        this.#unwritten.delete(name);
      }
    });
  }

  #isNews({ convicted, isFork }: Equivocation): boolean {
    const isFirstFork = isFork && this.#fork === undefined;
    return isFirstFork || convicted.some(({ name }) => this.#countOf(name) < MOST_OF_EACH);
  }

  #takeIn(document: Uint8Array): void {
    try {
      const pair = parseEvidence(document);
      this.#count(convict(pair, this.#policy), pair);
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
    }
  }

  #count(found: Equivocation, pair: NotePair): void {
    if (found.isFork) this.#fork ??= found;
    if (found.convicted.some(({ name }) => this.#countOf(name) === 0)) {
      this.#shown.push(found);
      for (const [index, digest] of found.digests.entries()) {
        this.#notes.set(toHex(digest), utf8(pair[index] ?? ''));
      }
    }
    for (const { name } of found.convicted) this.#counts.set(name, this.#countOf(name) + 1);
  }

  #countOf(name: string): number {
    return this.#counts.get(name) ?? 0;
  }
}

/** Under which it is kept. */
export function nameOfEvidence({ kind, epoch, digests }: EvidenceEntry): string {
  return [kind, epoch, ...digests.map(toHex).sort()].join('-');
}
