import type { AuthorityStore, KeptVotes } from '../src/authority/authority-store.ts';

/** Never resolves: the process that waits has been killed. */
const never = new Promise<never>(() => undefined);

/** What stays when the process is killed. */
export class MemoryAuthorityStore implements AuthorityStore {
  readonly consensuses: Uint8Array[] = [];
  readonly evidence: (readonly (Uint8Array | string)[])[] = [];
  /** How long a write takes. */
  onDisk: () => Promise<void> = () => Promise.resolve();
  /** Called around each write; when it says so, the process is no more. */
  onWrite: (when: 'before' | 'after') => 'killed' | 'alive' = () => 'alive';
  readonly #votes = new Map<number, readonly string[]>();
  #signed: string | undefined;

  keptVotes(): Promise<KeptVotes | undefined> {
    const [newest] = [...this.#votes].sort(([a], [b]) => b - a);
    return Promise.resolve(newest && { epoch: newest[0], notes: newest[1] });
  }

  keepVote(epoch: number, note: string): Promise<void> {
    return this.#write(() => {
      this.#votes.set(epoch, [...(this.#votes.get(epoch) ?? []), note]);
      for (const older of this.#votes.keys()) if (older < epoch) this.#votes.delete(older);
    });
  }

  /** Whether a vote note or a signed text is on disk. */
  holds(written: string): boolean {
    return this.#signed === written || [...this.#votes.values()].flat().includes(written);
  }

  signedText(): Promise<string | undefined> {
    return Promise.resolve(this.#signed);
  }

  keepSigned(text: string): Promise<void> {
    return this.#write(() => {
      this.#signed = text;
    });
  }

  newestConsensus(): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.consensuses.at(-1));
  }

  keepConsensus(note: Uint8Array): Promise<void> {
    return this.#write(() => {
      this.consensuses.push(note);
    });
  }

  keepEvidence(notes: readonly (Uint8Array | string)[]): Promise<void> {
    return this.#write(() => {
      this.evidence.push(notes);
    });
  }

  async #write(commit: () => void): Promise<void> {
    await this.onDisk();
    if (this.onWrite('before') === 'killed') return never;
    commit();
    if (this.onWrite('after') === 'killed') return never;
  }
}
