import type { Clock } from '../base/clock.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import { type OnionAddress } from '../directory/consensus-node.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { DIRECTORY_KINDS, type DirectoryKind } from '../directory/directory-view.ts';
import { MAX_CHECKPOINT_BYTES } from '../directory/gathered-cosignatures.ts';
import {
  MAX_CONSENSUS_BYTES,
  MAX_DESCRIPTOR_BYTES,
  MAX_VOTE_NOTE_BYTES,
} from '../directory/limits.ts';
import { type Dial } from '../io/dial.ts';
import { type LinkNetwork } from '../relay/hello.ts';
import { LinkError } from '../relay/link-error.ts';
import { openRelayLink, type RelayLink } from '../relay/relay-link.ts';

export interface AuthorityPeerOptions {
  readonly name: string;
  readonly onion: OnionAddress;
  readonly dial: Dial;
  readonly network: LinkNetwork;
  readonly clock: Clock;
}

/** Another authority, as this one asks it. */
export interface AuthorityPeer extends DirectorySource, AsyncDisposable {}

/** A first onion connection can take most of a minute. */
const CONNECT_MS = 90_000;
/** 128 lines of an author and a hash, with names of the greatest length. */
const MAX_INDEX_BYTES = 65_536;
const MAX_SIGNATURE_BYTES = 1024;
/** Of the log: 22 years of four a day. */
const MAX_ENTRIES_BYTES = 1024 * 1024;

/** What a peer may answer at most; a liar is not to fill the memory with all that a link could carry. */
const MAX_BYTES = new Map<DirectoryKind, number>([
  [DIRECTORY_KINDS.latestConsensus, MAX_CONSENSUS_BYTES],
  [DIRECTORY_KINDS.consensus, MAX_CONSENSUS_BYTES],
  [DIRECTORY_KINDS.descriptor, MAX_DESCRIPTOR_BYTES],
  [DIRECTORY_KINDS.voteIndex, MAX_INDEX_BYTES],
  [DIRECTORY_KINDS.vote, MAX_VOTE_NOTE_BYTES],
  [DIRECTORY_KINDS.signature, MAX_SIGNATURE_BYTES],
  [DIRECTORY_KINDS.checkpoint, MAX_CHECKPOINT_BYTES],
  [DIRECTORY_KINDS.evidence, MAX_CONSENSUS_BYTES],
  [DIRECTORY_KINDS.logEntries, MAX_ENTRIES_BYTES],
]);

/**
 * Keeps one link for all questions, because an onion connection takes longer than a round may; the
 * next question opens another when it has ended. Who asks says with its signal when it has waited
 * long enough.
 */
export function authorityPeer(options: AuthorityPeerOptions): AuthorityPeer {
  const { name } = options;
  const stop = new AbortController();
  let opening: Promise<RelayLink> | undefined;

  /** It goes on without whoever asked for it first: the next one has use for it too. */
  const openLink = (): Promise<RelayLink> => {
    if (opening !== undefined) return opening;
    const link = connect(options, stop.signal);
    opening = link;
    const forget = (): void => {
      if (opening === link) opening = undefined;
    };
    link.then(({ closed }) => closed.then(forget), forget);
    return link;
  };
  return {
    name,
    async fetch(kind, digest, signal) {
      const link = await unlessAborted(openLink(), signal);
      const maxBytes = MAX_BYTES.get(kind);
      return link.directory(kind, digest, { signal, ...(maxBytes !== undefined && { maxBytes }) });
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      const link = await opening?.catch(() => undefined);
      await link?.[Symbol.asyncDispose]();
    },
  };
}

async function connect(
  { onion, dial, network, clock }: AuthorityPeerOptions,
  stopped: AbortSignal,
): Promise<RelayLink> {
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(CONNECT_MS)]);
  const stream = await dial(onion, { isolation: `authority ${onion.host}`, signal });
  if (stopped.aborted) {
    stream.destroy();
    throw new LinkError('closed', 'the authority stops');
  }
  return openRelayLink({ stream, network, clock });
}
