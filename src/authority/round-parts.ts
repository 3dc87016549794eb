import { type Logger } from '../base/log.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { type NoteSigner } from '../directory/note.ts';
import { type Policy } from '../directory/policy.ts';
import { type Slot } from '../directory/timeline.ts';
import { type VoteContent } from '../directory/vote.ts';
import { type AuthorityStore } from './authority-store.ts';
import { type NewestConsensus } from './newest-consensus.ts';
import { type ShownDocuments } from './shown-documents.ts';
import { type Time } from './time.ts';

/** What an authority thinks of the nodes, and the log as far as it knows it. */
export type Ballot = Pick<VoteContent, 'params' | 'nodes' | 'log'>;

/** Descriptors by the SHA-256 of their text, read and verified. */
export interface DescriptorShelf {
  get(digest: Uint8Array): Descriptor | undefined;
  /** Takes one that more than half of the votes list, whatever this authority thinks of the node. */
  put(descriptor: Descriptor, note: Uint8Array): Promise<void>;
}

/** Of what an authority's part in a slot is made. */
export interface RoundParts {
  readonly policy: Policy;
  /** This authority, under the name and key that the policy has of it. */
  readonly signer: NoteSigner;
  /** The other authorities. What a document is not held of comes as no bytes. */
  readonly peers: readonly DirectorySource[];
  readonly store: AuthorityStore;
  readonly descriptors: DescriptorShelf;
  readonly newest: NewestConsensus;
  readonly shown: ShownDocuments;
  /**
   * Of each node the descriptor published last that is not after `slot.publishedUntil`; none of a node
   * that has left or was not admitted. The log holds all consensuses up to `previous`.
   */
  readonly castBallot: (slot: Slot, previous: Consensus | undefined) => Promise<Ballot>;
  readonly time: Time;
  readonly log: Logger;
}
