import { DirectoryError } from './directory-error.ts';
import { type NotePair } from './equivocation.ts';

/** A quorum has signed two consensuses of one epoch: nobody can say which is the right one. */
export class ForkError extends DirectoryError {
  /** The proof. */
  readonly notes: NotePair;

  constructor(notes: NotePair) {
    super('forked', 'the authorities have signed two consensuses of one epoch');
    this.notes = notes;
  }
}
