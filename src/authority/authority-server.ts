import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { DirectoryView } from '../directory/directory-view.ts';
import type { Address } from '../io/dial.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { listenTcp, type TcpServer } from '../io/listen.ts';
import { encodeTaken, type Taken } from '../relay/frame-payload.ts';
import type { Frame } from '../relay/frame.ts';
import { helloOf, type LinkNetwork } from '../relay/hello.ts';
import { LinkError } from '../relay/link-error.ts';
import { logLinkEnd } from '../relay/log-link-end.ts';
import { LinkPlaces } from '../relay/link-places.ts';
import { Link, type LinkTiming } from '../relay/link.ts';
import { readCircuit } from '../relay/proxy-line.ts';
import { directoryFrames } from '../relay/public-data.ts';
import { type Put, PutParts } from '../relay/put-parts.ts';
import { TokenBucket } from '../relay/token-bucket.ts';
import { type Visitor, Visitors } from '../relay/visitors.ts';
import { verdictOf } from './take-put.ts';

export interface AuthorityServerOptions {
  /** Where tor delivers the streams of the authority's onion: loopback. */
  readonly listen: Address;
  readonly network: LinkNetwork;
  /** Whether each stream opens with tor's PROXY line. Without, each link counts as a circuit. */
  readonly expectProxyHeader: boolean;
  readonly directory: DirectoryView;
  /** Rejects for a defect of ours only. */
  readonly take: (put: Put) => Promise<Taken>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<AuthorityLimits>;
}

/** What an authority does for others at most. */
export interface AuthorityLimits {
  /** For one more, `LinkPlaces` ends one. */
  readonly links: number;
  /** Circuits whose quota is remembered. */
  readonly circuits: number;
  readonly linksPerCircuit: number;
  /** Of documents for one circuit in `windowMs`: its peers fetch all votes, five times at worst. */
  readonly bytesPerCircuit: number;
  /** What one circuit may bring in `windowMs`; a node brings a descriptor and a proof. */
  readonly putsPerCircuit: number;
  readonly windowMs: number;
  /** Of all links together, those that are being looked at. */
  readonly putsAtOnce: number;
  readonly timing: LinkTiming;
}

const DEFAULT_LIMITS: AuthorityLimits = {
  links: 1024,
  circuits: 8192,
  linksPerCircuit: 8,
  bytesPerCircuit: 256 * 1024 * 1024,
  putsPerCircuit: 20,
  windowMs: 600_000,
  putsAtOnce: 64,
  timing: { helloMs: 10_000, idleMs: 3_600_000, stallMs: 60_000 },
};

interface Quota {
  readonly bytes: TokenBucket;
  readonly puts: TokenBucket;
}

const BUSY = verdictOf(new DirectoryError('busy', 'too much is being brought'));

/** Shows the directory to whoever asks, and takes what nodes bring (spec/directory.md section 16). */
export async function startAuthorityServer(options: AuthorityServerOptions): Promise<TcpServer> {
  const { directory, network, take, clock, log } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const bucket = (burst: number): TokenBucket =>
    new TokenBucket({ perSecond: (burst * 1000) / limits.windowMs, burst, clock });
  const visitors = new Visitors<Quota>({
    most: limits.circuits,
    linksOfEach: limits.linksPerCircuit,
    quota: () => ({ bytes: bucket(limits.bytesPerCircuit), puts: bucket(limits.putsPerCircuit) }),
  });
  const places = new LinkPlaces(limits.links);
  let unnamed = 0;
  let taking = 0;

  async function accept(stream: Duplex): Promise<void> {
    const named = options.expectProxyHeader
      ? await readCircuit(stream, limits.timing.helloMs)
      : `link ${++unnamed}`;
    if (named === undefined) return;
    const visitor = visitors.enter(String(named));
    if (visitor === undefined) stream.destroy();
    else serve(stream, visitor);
  }

  function serve(stream: Duplex, visitor: Visitor<Quota>): void {
    const parts = new PutParts();
    const link = new Link({
      stream,
      hello: helloOf({ network, capabilities: 0, consensus: directory.current() }),
      answers: true,
      clock,
      timing: limits.timing,
      onFrame: (frame) => {
        places.heard(link);
        if (frame.type === 'DIRECTORY_GET') {
          link.sendLong(directoryFrames({ directory }, frame, visitor.bytes));
        } else if (frame.type === 'DIRECTORY_PUT') {
          collect(frame);
        } else throw new LinkError('protocol', `${frame.type} to an authority`);
      },
      onClose: (reason) => {
        places.leave(link);
        visitors.leave(visitor);
        logLinkEnd(log, reason);
      },
    });

    places.enter(link, visitor);

    function collect(frame: Frame): void {
      const put = parts.take(frame);
      if (put === undefined) return;
      if (!visitor.puts.take()) throw new LinkError('flood', 'its share is used up');
      answer(put).catch((error: unknown) => {
        log.error('what was brought cannot be looked at', { reason: messageOf(error) });
        link.close('closed', 'an answer could not be made', { cause: error });
      });
    }

    async function answer(put: Put): Promise<void> {
      const payload = encodeTaken(await takeInTurn(put));
      link.send({ type: 'DIRECTORY_TAKEN', id: put.id, payload });
    }
  }

  async function takeInTurn(put: Put): Promise<Taken> {
    if (taking >= limits.putsAtOnce) return BUSY;
    taking += 1;
    try {
      return await take(put);
    } finally {
      taking -= 1;
    }
  }

  return listenTcp({
    ...options.listen,
    // Those that have not said yet on which circuit they come have no link.
    maxConnections: 2 * limits.links,
    onConnection: (stream) => void accept(stream),
  });
}
