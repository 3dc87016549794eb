import { concatBytes, fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { type Consensus } from '../directory/consensus.ts';
import { renderChange } from '../directory/consensus-change.ts';
import {
  DIRECTORY_KINDS,
  type DirectoryKind,
  type DirectoryView,
  rangeOf,
} from '../directory/directory-view.ts';
import { textOfNote } from '../directory/note.ts';
import { type AuthorityFiles } from './authority-files.ts';
import { type HeldNodes } from './held-nodes.ts';
import { type NewestConsensus } from './newest-consensus.ts';
import { type ShownDocuments } from './shown-documents.ts';

export interface AuthorityDirectoryParts {
  readonly files: AuthorityFiles;
  readonly nodes: HeldNodes;
  readonly newest: NewestConsensus;
  readonly shown: ShownDocuments;
}

/** All that an authority shows to whoever asks: nodes, clients and other authorities. */
export class AuthorityDirectory implements DirectoryView {
  readonly #parts: AuthorityDirectoryParts;
  /** Those to the newest consensus, by the hash they are from. */
  readonly #changes = new Map<string, Uint8Array>();
  #changesTo: Consensus | undefined;

  constructor(parts: AuthorityDirectoryParts) {
    this.#parts = parts;
  }

  /** In time or not: an authority that was away asks for it. */
  current(): Consensus | undefined {
    return this.#parts.newest.consensus;
  }

  noteOf(kind: DirectoryKind, digest: Uint8Array): Uint8Array | undefined {
    const { files, nodes, newest, shown } = this.#parts;
    switch (kind) {
      case DIRECTORY_KINDS.latestConsensus:
        return newest.held?.note;
      case DIRECTORY_KINDS.consensus:
        return files.consensusNote(digest) ?? shown.noteOf(kind, digest);
      case DIRECTORY_KINDS.descriptor:
        return nodes.noteOf(digest);
      case DIRECTORY_KINDS.change:
        return this.#changeFrom(digest);
      case DIRECTORY_KINDS.logEntries: {
        const range = rangeOf(digest);
        return range && concatBytes(...files.consensusLog.entries.slice(range.from, range.to));
      }
      default:
        return shown.noteOf(kind, digest);
    }
  }

  /** Made once for each consensus that is held, because to compare two takes long. */
  #changeFrom(hash: Uint8Array): Uint8Array | undefined {
    const { files, newest } = this.#parts;
    const to = newest.held;
    const from = files.consensusNote(hash);
    if (to === undefined || from === undefined) return undefined;
    if (this.#changesTo !== to.consensus) this.#changes.clear();
    this.#changesTo = to.consensus;
    const hex = toHex(hash);
    const made =
      this.#changes.get(hex) ??
      utf8(renderChange({ text: textOfNote(fromUtf8(from)), hash }, fromUtf8(to.note)));
    this.#changes.set(hex, made);
    return made;
  }
}
