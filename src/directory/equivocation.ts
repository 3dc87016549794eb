import { equalBytes, toHex } from '../base/bytes.ts';
import { parseConsensus } from './consensus.ts';
import { DirectoryError } from './directory-error.ts';
import { MAX_CONSENSUS_BYTES } from './limits.ts';
import { decodeNote, digestOfText, formatVerifierKey, openNote, textOfNote } from './note.ts';
import { isQuorum, type Policy, type PolicyAuthority } from './policy.ts';
import { parseVote } from './vote.ts';

/** Two notes of one epoch that nobody who keeps to the rules has signed both. */
export interface Equivocation {
  readonly kind: 'votes' | 'consensuses';
  readonly epoch: number;
  /** SHA-256 of the texts. */
  readonly digests: readonly [Uint8Array, Uint8Array];
  /** In the order of the policy; never empty. */
  readonly convicted: readonly PolicyAuthority[];
  /** Whether they are consensuses that a quorum each has signed: whoever has one cannot know which is right. */
  readonly isFork: boolean;
}

export type NotePair = readonly [string, string];

const HEADER = 'sotto-evidence/1\n';
const VOTE = 'sotto-vote/1\n';
const CONSENSUS = 'sotto-consensus/1\n';
const MAX_EVIDENCE_BYTES = HEADER.length + 2 * MAX_CONSENSUS_BYTES;

/**
 * The document that convicts: both notes, the one with the lesser digest first (spec/directory.md
 * section 15).
 * @throws DirectoryError `malformed` when they are not signed notes.
 */
export function renderEvidence([one, other]: NotePair): string {
  return digestOf(one) <= digestOf(other) ? HEADER + one + other : HEADER + other + one;
}

/**
 * The two notes, of which nothing has been verified.
 * @throws DirectoryError `too-large`, `malformed`.
 */
export function parseEvidence(bytes: Uint8Array | string): NotePair {
  const document = decodeNote(bytes, MAX_EVIDENCE_BYTES);
  // A note has no such line but its first.
  const line = Math.max(document.lastIndexOf(`\n${VOTE}`), document.lastIndexOf(`\n${CONSENSUS}`));
  const notes = [document.slice(HEADER.length, line + 1), document.slice(line + 1)] as const;
  if (renderEvidence(notes) !== document) {
    throw new DirectoryError('malformed', 'evidence has another form');
  }
  return notes;
}

/**
 * Whom two notes convict: of votes their author, since others sign two of an author by the rules; of
 * consensuses everyone who signed both.
 * @throws DirectoryError `no-equivocation` when it is nobody; for what is wrong with one of the notes
 * `malformed`, `too-large`, `duplicate-node`, `wrong-network`, `bad-signature`, `duplicate-signature`.
 */
export function convict(notes: NotePair, policy: Policy): Equivocation {
  const [first, second] = [openStatement(notes[0], policy), openStatement(notes[1], policy)];
  const convicted = first.signers.filter((signer) => second.signers.includes(signer));
  if (
    first.kind !== second.kind ||
    first.epoch !== second.epoch ||
    equalBytes(first.digest, second.digest) ||
    convicted.length === 0
  ) {
    throw new DirectoryError('no-equivocation', 'the two notes convict nobody of the policy');
  }
  const { kind, epoch } = first;
  const isFork = kind === 'consensuses' && first.hasQuorum && second.hasQuorum;
  return { kind, epoch, digests: [first.digest, second.digest], convicted, isFork };
}

/** What a note says, and who of the policy answers for it. */
interface Statement {
  readonly kind: Equivocation['kind'];
  readonly epoch: number;
  readonly digest: Uint8Array;
  readonly signers: readonly PolicyAuthority[];
  readonly hasQuorum: boolean;
}

function openStatement(note: string, policy: Policy): Statement {
  const text = textOfNote(note);
  const vote = text.startsWith(VOTE) ? parseVote(text) : undefined;
  const { network, epoch } = vote ?? parseConsensus(text);
  if (network !== policy.network) {
    throw new DirectoryError('wrong-network', `signed for ${network}`);
  }
  const answering = policy.authorities.filter(
    ({ verifier }) => vote === undefined || vote.author === formatVerifierKey(verifier),
  );
  const { signers } = openNote(
    note,
    answering.map(({ verifier }) => verifier),
  );
  return {
    kind: vote === undefined ? 'consensuses' : 'votes',
    epoch,
    digest: digestOfText(text),
    signers: answering.filter(({ verifier }) => signers.includes(verifier)),
    hasQuorum: isQuorum(policy, signers),
  };
}

function digestOf(note: string): string {
  return toHex(digestOfText(textOfNote(note)));
}
