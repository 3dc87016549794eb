import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { Scope } from '../base/lifecycle.ts';
import type { Logger } from '../base/log.ts';
import type { DirectoryView } from '../directory/directory-view.ts';
import type { Address, Dial } from '../io/dial.ts';
import { listenTcp, type TcpServer } from '../io/listen.ts';
import { type Circuit, Circuits } from './circuits.ts';
import type { EpochKeys } from './epoch-keys.ts';
import type { Hello } from './frame-payload.ts';
import type { Frame } from './frame.ts';
import type { GatewayHandler } from './gateway-handler.ts';
import { Gateway } from './gateway.ts';
import { helloOf, type LinkNetwork, RELAY_CAPABILITY } from './hello.ts';
import { LinkError } from './link-error.ts';
import { LinkPlaces } from './link-places.ts';
import { Link } from './link.ts';
import { logLinkEnd } from './log-link-end.ts';
import type { NodeIdentity } from './node-identity.ts';
import type { Observe } from './observation.ts';
import { readCircuit } from './proxy-line.ts';
import { directoryFrames, headersFrames } from './public-data.ts';
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from './relay-limits.ts';
import { Relay } from './relay.ts';

export interface RelayServerOptions {
  /** Where tor delivers the streams of the relay onion: loopback. */
  readonly listen: Address;
  readonly network: LinkNetwork;
  /** Whether each stream opens with tor's PROXY line. Without, each link counts as a circuit. */
  readonly expectProxyHeader: boolean;
  readonly identity: NodeIdentity;
  readonly directory: DirectoryView;
  readonly epochKeys: EpochKeys;
  readonly handler: GatewayHandler;
  /** Up to `count` headers of 80 bytes from height `start` on; fewer at the tip, none beyond. */
  readonly headers: (start: number, count: number) => Uint8Array;
  /** Reaches the onions of other gateways. */
  readonly dial: Dial;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<RelayLimits>;
  readonly observe?: Observe;
}

export interface RelayServer extends TcpServer {
  /** The gateways that this relay has a link to now. */
  readonly warm: readonly string[];
}

/** Starts a node's two roles on one port: relay for clients, gateway for other relays. */
export async function startRelayServer(options: RelayServerOptions): Promise<RelayServer> {
  const { directory, network, clock, log } = options;
  const limits = { ...DEFAULT_RELAY_LIMITS, ...options.limits };
  let clients = 0;
  const hello = (said: { capabilities: number; clients?: number }): Hello =>
    helloOf({ network, consensus: directory.current(), ...said });
  await using starting = new Scope();
  const gateway = starting.use(new Gateway({ ...options, limits }));
  const relay = starting.use(
    new Relay({ ...options, limits, hello: () => hello({ capabilities: RELAY_CAPABILITY }) }),
  );
  const circuits = new Circuits(limits, clock);
  const clientPlaces = new LinkPlaces(limits.clientLinks);
  const relayPlaces = new LinkPlaces(limits.relayLinks);
  let unnamed = 0;

  async function accept(stream: Duplex): Promise<void> {
    const named = options.expectProxyHeader
      ? await readCircuit(stream, limits.clientTiming.helloMs)
      : `link ${++unnamed}`;
    if (named === undefined) return;
    const circuit = circuits.enter(String(named));
    if (circuit === undefined) stream.destroy();
    else serve(stream, circuit);
  }

  function serve(stream: Duplex, circuit: Circuit): void {
    let take: ((frame: Frame) => void) | undefined;
    let left: () => void = () => undefined;
    let places = clientPlaces;
    const link = new Link({
      stream,
      hello: hello({ capabilities: 0, clients }),
      answers: true,
      clock,
      timing: limits.clientTiming,
      onHello: ({ capabilities }) => {
        take = (capabilities & RELAY_CAPABILITY) !== 0 ? fromRelay() : fromClient();
      },
      onFrame: (frame) => {
        places.heard(link);
        take?.(frame);
      },
      onClose: (reason) => {
        left();
        places.leave(link);
        circuits.leave(circuit);
        logLinkEnd(log, reason);
      },
    });

    places.enter(link, circuit);

    function fromRelay(): (frame: Frame) => void {
      places.leave(link);
      places = relayPlaces;
      places.enter(link, circuit);
      link.stayWarm();
      const peer = { link, circuit };
      gateway.welcome(peer);
      return (frame) => {
        if (frame.type !== 'IN') throw new LinkError('protocol', `${frame.type} from a relay`);
        gateway.take(peer, frame);
      };
    }

    function fromClient(): (frame: Frame) => void {
      const client = { link, circuit, inFlight: 0 };
      clients += 1;
      left = () => (clients -= 1);
      const { publicBytes } = circuit;
      return (frame) => {
        if (frame.type === 'FORWARD') relay.forward(client, frame);
        else if (frame.type === 'DIRECTORY_GET') {
          link.sendLong(directoryFrames(options, frame, publicBytes));
        } else if (frame.type === 'HEADERS_GET') {
          link.sendLong(headersFrames(options, frame, publicBytes));
        } else throw new LinkError('protocol', `${frame.type} from a client`);
      };
    }
  }

  const server = starting.use(
    await listenTcp({
      ...options.listen,
      // Those that have not said yet on which circuit they come have no link.
      maxConnections: 2 * (limits.clientLinks + limits.relayLinks),
      onConnection: (stream) => void accept(stream),
    }),
  );
  const running = starting.move();
  return {
    host: server.host,
    port: server.port,
    failed: server.failed,
    get warm() {
      return relay.warm;
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}
