import type { Clock } from '../base/clock.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
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

/** One that can be asked much at a time. */
export interface LinkablePeer extends DirectoryPeer {
  /** The same over one link, which opens with the first question, and anew after it has ended. */
  linked(): DirectorySource & AsyncDisposable;
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

/** Opens a link for each question, and closes it: most are few, hours apart. */
export function directoryPeer(
  { name, family, onion }: PeerAddress,
  { dial, network, clock }: DirectoryPeerOptions,
): LinkablePeer {
  const connect = async (signal: AbortSignal): Promise<RelayLink> => {
    const connecting = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]);
    const stream = await dial(onion, {
      isolation: `directory ${onion.host}`,
      signal: connecting,
    });
    return connectRelay({ stream, network, clock, signal: connecting });
  };
  const ask = async <T>(
    signal: AbortSignal,
    question: (link: RelayLink) => Promise<T>,
  ): Promise<T> => {
    await using link = await connect(signal);
    return await question(link);
  };
  return {
    name,
    family,
    fetch: (kind, digest, signal) =>
      ask(signal, (link) => link.directory(kind, digest, { signal })),
    linked: () => ({ name, family, ...overOneLink(connect) }),
    put: (kind, bytes, signal) => ask(signal, (link) => link.put(kind, bytes, { signal })),
  };
}

function overOneLink(
  connect: (signal: AbortSignal) => Promise<RelayLink>,
): Pick<DirectorySource, 'fetch'> & AsyncDisposable {
  const closing = new AbortController();
  let held: Promise<RelayLink> | undefined;
  const open = (): Promise<RelayLink> => {
    const opening = connect(closing.signal);
    const forget = (): void => {
      if (held === opening) held = undefined;
    };
    opening.then((link) => link.closed.then(forget), forget);
    return opening;
  };
  return {
    async fetch(kind, digest, signal) {
      held ??= open();
      const link = await unlessAborted(held, signal);
      return link.directory(kind, digest, { signal });
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      const link = await held?.catch(() => undefined);
      await link?.[Symbol.asyncDispose]();
    },
  };
}
