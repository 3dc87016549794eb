import { fromUtf8, toHex } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import { convict, parseEvidence, renderEvidence } from './equivocation.ts';
import { type Policy } from './policy.ts';
import { RecordDirectory } from '../io/record-directory.ts';

/**
 * One convicts; some more show that it was no accident. What a liar says twice every slot must not
 * fill the disk, nor keep out what convicts another.
 */
const MOST_OF_EACH = 4;

/** Pairs of notes that convict an authority, for whoever asks: four for each, no pair twice. */
export class EvidenceFiles {
  readonly #records: RecordDirectory;
  readonly #policy: Policy;
  /** How many there are by the name of the authority. */
  readonly #counts = new Map<string, number>();

  private constructor(records: RecordDirectory, policy: Policy) {
    this.#records = records;
    this.#policy = policy;
  }

  /** Documents that convict nobody of this policy stay where they are, and do not count. */
  static async open(path: string, policy: Policy): Promise<EvidenceFiles> {
    const files = new EvidenceFiles(await RecordDirectory.open(path), policy);
    for (const name of files.names) files.#countOf(await files.read(name));
    return files;
  }

  /** In the order in which they are shown. */
  get names(): readonly string[] {
    return this.#records.names;
  }

  /** The document of spec/directory.md section 15. */
  read(name: string): Promise<Uint8Array> {
    return this.#records.read(name);
  }

  /** @throws DirectoryError when the notes convict nobody: as `convict`. */
  async keep(notes: readonly (Uint8Array | string)[]): Promise<void> {
    const [one = '', other = ''] = notes.map((note) =>
      typeof note === 'string' ? note : fromUtf8(note),
    );
    const pair = [one, other] as const;
    const { kind, epoch, digests, convicted } = convict(pair, this.#policy);
    const name = [kind, epoch, ...digests.map(toHex).sort()].join('-');
    const isNews = convicted.some((each) => (this.#counts.get(each.name) ?? 0) < MOST_OF_EACH);
    if (this.#records.names.includes(name) || !isNews) return;
    await this.#records.write(name, renderEvidence(pair));
    this.#count(convicted);
  }

  #countOf(document: Uint8Array): void {
    try {
      this.#count(convict(parseEvidence(document), this.#policy).convicted);
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
    }
  }

  #count(convicted: readonly { readonly name: string }[]): void {
    for (const { name } of convicted) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }
}
