import { join } from 'node:path';
import { fromUtf8, toHex } from '../base/bytes.ts';
import { parseConsensus } from '../directory/consensus.ts';
import { MAX_CHAIN } from '../directory/limits.ts';
import { digestOfText, textOfNote } from '../directory/note.ts';
import { type Policy } from '../directory/policy.ts';
import { makePrivateDirectory, readIfPresent, writeDurably } from '../io/durable-file.ts';
import { type AuthorityStore, type KeptVotes } from './authority-store.ts';
import { type ConsensusLog, openConsensusLog } from '../directory/consensus-log.ts';
import { EvidenceFiles } from '../directory/evidence-files.ts';
import { RecordDirectory } from '../io/record-directory.ts';

/** Numbers in names are as long as the greatest, so that names sort as they do. */
const NUMBER_DIGITS = 16;
const VOTE_NAME = /^([0-9]{16})-[0-9]{4}$/;

/** What an authority must not forget, in files. Disposing it closes those that stay open. */
export interface AuthorityFiles extends AuthorityStore, AsyncDisposable {
  readonly consensusLog: ConsensusLog;
  readonly evidence: EvidenceFiles;
  /** The note of one of the newest 32 consensuses, by the SHA-256 of its text. */
  consensusNote(hash: Uint8Array): Uint8Array | undefined;
}

/** Opens or makes the directory, mode 0700; one process at a time. */
export async function openAuthorityFiles(
  directory: string,
  policy: Policy,
): Promise<AuthorityFiles> {
  await makePrivateDirectory(directory);
  const signedPath = join(directory, 'signed');
  const votes = await RecordDirectory.open(join(directory, 'votes'));
  const consensuses = await RecordDirectory.open(join(directory, 'consensuses'));
  const evidence = await EvidenceFiles.open(join(directory, 'evidence'), policy);
  const noteOfHash = new Map<string, Uint8Array>();
  for (const name of consensuses.names) {
    const note = await consensuses.read(name);
    const hash = await consensuses.decoded(name, (bytes) => digestOfText(textOfNote(bytes)));
    noteOfHash.set(toHex(hash), note);
  }
  const consensusLog = await openConsensusLog(join(directory, 'log'));
  return {
    consensusLog,
    evidence,
    async keptVotes(): Promise<KeptVotes | undefined> {
      const epoch = newestEpoch(votes.names);
      if (epoch === undefined) return undefined;
      const names = votes.names.filter((name) => name.startsWith(numbered(epoch)));
      const notes = await Promise.all(names.map((name) => votes.read(name)));
      return { epoch, notes: notes.map(fromUtf8) };
    },
    async keepVote(epoch, note) {
      const old = votes.names.filter((name) => name < numbered(epoch));
      const count = votes.names.filter((name) => name.startsWith(numbered(epoch))).length;
      await votes.write(`${numbered(epoch)}-${String(count).padStart(4, '0')}`, note);
      for (const name of old) await votes.remove(name);
    },
    async signedText() {
      const bytes = await readIfPresent(signedPath);
      return bytes && fromUtf8(bytes);
    },
    keepSigned: (text) => writeDurably(signedPath, text),
    async newestConsensus() {
      const newest = consensuses.names.at(-1);
      return newest === undefined ? undefined : consensuses.read(newest);
    },
    consensusNote: (hash) => noteOfHash.get(toHex(hash)),
    async keepConsensus(note) {
      const text = textOfNote(note);
      const { epoch, log } = parseConsensus(text);
      // First, because a crash in between may leave it there for nothing, but not leave it out.
      if (log !== undefined) await consensusLog.record(log.size, digestOfText(text));
      await consensuses.write(numbered(epoch), note);
      noteOfHash.set(toHex(digestOfText(text)), note);
      for (const name of consensuses.names.slice(0, -MAX_CHAIN)) await consensuses.remove(name);
      for (const hex of [...noteOfHash.keys()].slice(0, -MAX_CHAIN)) noteOfHash.delete(hex);
    },
    async keepEvidence(notes) {
      await evidence.keep(notes);
    },
    [Symbol.asyncDispose]: () => consensusLog[Symbol.asyncDispose](),
  };
}

function numbered(epoch: number): string {
  return String(epoch).padStart(NUMBER_DIGITS, '0');
}

function newestEpoch(names: readonly string[]): number | undefined {
  const [, epoch] = VOTE_NAME.exec(names.at(-1) ?? '') ?? [];
  return epoch === undefined ? undefined : Number(epoch);
}
