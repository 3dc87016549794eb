import { ChangeCache } from '../directory/change-cache.ts';
import { type Checkpoints } from '../directory/checkpoints.ts';
import { type Consensus } from '../directory/consensus.ts';
import {
  DIRECTORY_KINDS,
  type DirectoryKind,
  type DirectoryView,
  nodeOf,
} from '../directory/directory-view.ts';
import { logDocument } from '../directory/log-documents.ts';
import { type Policy } from '../directory/policy.ts';
import { policyFor } from '../directory/policy-link.ts';
import { type AuthorityFiles } from './authority-files.ts';
import { type HeldNodes } from './held-nodes.ts';
import { type NewestConsensus } from './newest-consensus.ts';
import { type ProvedBonds } from './proved-bonds.ts';
import { type ShownDocuments } from './shown-documents.ts';

export interface AuthorityDirectoryParts {
  readonly policy: Policy;
  readonly files: AuthorityFiles;
  readonly checkpoints: Pick<Checkpoints, 'noteOf'>;
  readonly nodes: HeldNodes;
  readonly bonds: Pick<ProvedBonds, 'fileOf'>;
  readonly newest: NewestConsensus;
  readonly shown: ShownDocuments;
}

/** All that an authority shows to whoever asks: nodes, clients and other authorities. */
export class AuthorityDirectory implements DirectoryView {
  readonly #parts: AuthorityDirectoryParts;
  readonly #changes: ChangeCache;

  constructor(parts: AuthorityDirectoryParts) {
    this.#parts = parts;
    this.#changes = new ChangeCache((hash) => parts.files.consensusNote(hash));
  }

  /** In time or not: an authority that was away asks for it. */
  current(): Consensus | undefined {
    return this.#parts.newest.consensus;
  }

  noteOf(kind: DirectoryKind, digest: Uint8Array): Uint8Array | undefined {
    const { policy, files, checkpoints, nodes, bonds, newest, shown } = this.#parts;
    switch (kind) {
      case DIRECTORY_KINDS.latestConsensus:
        return newest.held?.note;
      case DIRECTORY_KINDS.consensus:
        return files.consensusNote(digest) ?? shown.noteOf(kind, digest);
      case DIRECTORY_KINDS.descriptor:
        return nodes.noteOf(digest);
      case DIRECTORY_KINDS.bond:
        return bonds.fileOf(nodeOf(digest));
      case DIRECTORY_KINDS.change:
        return newest.consensus && this.#changes.between(digest, newest.consensus.hash);
      case DIRECTORY_KINDS.policy:
        return policyFor(digest, policy);
      default:
        return shown.noteOf(kind, digest) ?? logDocument(kind, digest, { ...files, checkpoints });
    }
  }
}
