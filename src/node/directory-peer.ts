import type { Clock } from '../base/clock.ts';
import type { OnionAddress } from '../directory/consensus-node.ts';
import type { DirectorySource } from '../directory/directory-client.ts';
import type { Dial } from '../io/dial.ts';
import type { Taken } from '../relay/frame-payload.ts';
import type { LinkNetwork } from '../relay/hello.ts';
import { connectRelay, type RelayLink } from '../relay/relay-link.ts';

/** An authority or a relay, as a node asks it for documents and brings it some. */
export interface DirectoryPeer extends DirectorySource {
  /** Only authorities take anything. `kind` is one of `PUT_KINDS`; `bytes`: 1 to 65,536. */
  put(kind: number, bytes: Uint8Array, signal: AbortSignal): Promise<Taken>;
}

export interface DirectoryPeerOptions {
  readonly dial: Dial;
  readonly network: LinkNetwork;
  readonly clock: Clock;
}

export interface PeerAddress extends Pick<DirectorySource, 'name' | 'family'> {
  readonly onion: OnionAddress;
}

/** A first onion connection can take most of a minute. */
const CONNECT_MS = 90_000;

/** Opens a link for each question, and closes it: there are few, hours apart. */
export function directoryPeer(
  { name, family, onion }: PeerAddress,
  { dial, network, clock }: DirectoryPeerOptions,
): DirectoryPeer {
  const ask = async <T>(
    signal: AbortSignal,
    question: (link: RelayLink) => Promise<T>,
  ): Promise<T> => {
    const connecting = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]);
    const stream = await dial(onion, {
      isolation: `directory ${onion.host}`,
      signal: connecting,
    });
    await using link = await connectRelay({ stream, network, clock, signal: connecting });
    return await question(link);
  };
  return {
    name,
    family,
    fetch: (kind, digest, signal) =>
      ask(signal, (link) => link.directory(kind, digest, { signal })),
    put: (kind, bytes, signal) => ask(signal, (link) => link.put(kind, bytes, { signal })),
  };
}
