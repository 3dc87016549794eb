import { DirectoryError } from './directory-error.ts';
import { joinNotes, type NoteVerifier, openNote, textOfNote } from './note.ts';
import { isQuorum, type Policy } from './policy.ts';

/**
 * One note with the signatures of all who signed the same text, or undefined when for no text they
 * are a quorum. Each note given is by one authority; those that do not verify are left out.
 */
export function combineNotes(notes: readonly string[], policy: Policy): string | undefined {
  const verifiers = policy.authorities.map(({ verifier }) => verifier);
  const right = notes.filter((note) => signersOf(note, verifiers).length === 1);
  for (const text of new Set(right.map(textOfNote))) {
    const [first, ...others] = right.filter((note) => textOfNote(note) === text);
    if (first === undefined) continue;
    const joined = joinNotes([first, ...others]);
    if (isQuorum(policy, signersOf(joined, verifiers))) return joined;
  }
  return undefined;
}

function signersOf(note: string, verifiers: readonly NoteVerifier[]): readonly NoteVerifier[] {
  try {
    return openNote(note, verifiers).signers;
  } catch (error) {
    if (error instanceof DirectoryError) return [];
    throw error;
  }
}
