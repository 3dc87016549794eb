/** Votes as they were kept: notes that were accepted, for one epoch. */
export interface KeptVotes {
  readonly epoch: number;
  readonly notes: readonly string[];
}

/**
 * What an authority must not forget, or it could say two things at one time. Each promise resolves
 * when no crash can undo what it stands for. Calls of one method do not overlap.
 */
export interface AuthorityStore {
  /** Those of the newest epoch for which any was kept. */
  keptVotes(): Promise<KeptVotes | undefined>;
  /** Drops the votes of older epochs, and never those of newer ones. */
  keepVote(epoch: number, note: string): Promise<void>;
  /** The text that was signed last. */
  signedText(): Promise<string | undefined>;
  /** Replaces it. */
  keepSigned(text: string): Promise<void>;
  /** The note of the newest consensus. */
  newestConsensus(): Promise<Uint8Array | undefined>;
  /** It is newer than all that were kept; its own line `log` says which leaf of the log it is. */
  keepConsensus(note: Uint8Array): Promise<void>;
  /** Two notes that one authority, or a quorum, must never have signed both. */
  keepEvidence(notes: readonly (Uint8Array | string)[]): Promise<void>;
}
