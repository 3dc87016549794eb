import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Consensus, ConsensusNode } from '../directory/consensus.ts';
import type { DirectoryView } from '../directory/directory-view.ts';
import type { NodeId } from '../directory/node-id.ts';
import type { Dial } from '../io/dial.ts';
import type { Circuit } from './circuits.ts';
import { Deadlines } from './deadlines.ts';
import { decodeForward, type Forward, type Hello } from './frame-payload.ts';
import type { Frame } from './frame.ts';
import { Hold } from '../io/hold.ts';
import type { Link } from './link.ts';
import type { NodeIdentity } from './node-identity.ts';
import type { Observe } from './observation.ts';
import { outerAnswer } from './outer-answer.ts';
import type { OuterCode } from './relay-error.ts';
import type { RelayLimits } from './relay-limits.ts';
import { type Outgoing, WarmLink } from './warm-link.ts';

export interface RelayOptions {
  readonly identity: NodeIdentity;
  readonly directory: DirectoryView;
  readonly dial: Dial;
  /** What this node says first on its links to gateways. */
  readonly hello: () => Hello;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: RelayLimits;
  readonly observe?: Observe;
}

/** One link of a client. */
export interface RelayClient {
  readonly link: Link;
  readonly circuit: Circuit;
  inFlight: number;
}

/** One cell on its way. */
interface Flight extends Outgoing {
  readonly client: RelayClient;
  /** Of the client's FORWARD. */
  readonly id: number;
  readonly gateway: WarmLink<Flight>;
}

interface Refusal {
  readonly id: number;
  readonly cell: Uint8Array;
  readonly code: OuterCode;
}

/** Unless the consensus says otherwise. */
const DEFAULT_MIX_MS = 500;
const REFRESH_MS = 1_000;

/** Passes cells on and never opens them (spec/relay.md section 8.2). */
export class Relay implements AsyncDisposable {
  readonly #options: RelayOptions;
  readonly #gateways = new Map<NodeId, WarmLink<Flight>>();
  readonly #mix: Hold<Flight>;
  readonly #deadlines: Deadlines<Flight>;
  readonly #refreshTimer: NodeJS.Timeout;
  #consensus: Consensus | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { clock, limits } = options;
    this.#mix = new Hold({
      clock,
      release: (flights) => {
        for (const flight of flights) flight.gateway.ask(flight);
      },
    });
    this.#deadlines = new Deadlines({
      clock,
      timeoutMs: limits.cellTimeoutMs,
      onExpired: (flight) => {
        this.#fail(flight);
      },
    });
    this.#refreshTimer = setInterval(() => {
      this.#refresh();
    }, REFRESH_MS);
    this.#refresh();
  }

  /** The gateways there is a link to now. */
  get warm(): readonly NodeId[] {
    return [...this.#gateways].filter(([, { ready }]) => ready).map(([nodeId]) => nodeId);
  }

  /** Takes a FORWARD. Each is answered by one BACK: at once when refused, else with the answer. */
  forward(client: RelayClient, { id, payload }: Frame): void {
    const forward = decodeForward(payload);
    const { nodeId, cell } = forward;
    const gateway = this.#admit(client, forward);
    if (typeof gateway === 'string') {
      this.#refuse(client, { id, cell, code: gateway });
      return;
    }
    this.#options.observe?.({ role: 'relay', circuit: client.circuit.name, nodeId, cell });
    const flight = { client, id, cell, gateway, sent: false };
    client.inFlight += 1;
    this.#deadlines.add(flight);
    this.#mix.addWithin(flight, this.#consensus?.params.get('mix-ms') ?? DEFAULT_MIX_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#refreshTimer);
    this.#mix.clear();
    this.#deadlines.clear();
    await Promise.all([...this.#gateways.values()].map((link) => link[Symbol.asyncDispose]()));
  }

  /** The gateway the cell may go to, or why it may not go. */
  #admit(client: RelayClient, { nodeId, release }: Forward): WarmLink<Flight> | OuterCode {
    if (!client.circuit.forwards.cells.take()) return 'QUOTA';
    if (client.inFlight >= this.#options.limits.cellsInFlightPerLink) return 'QUOTA';
    // Cells for later are not kept by this version: no release minute is one it serves.
    if (release !== 0) return 'EXPIRED';
    this.#refresh();
    const gateway = this.#gateways.get(nodeId);
    if (gateway === undefined) return 'NOT_LISTED';
    return gateway.admit() ? gateway : 'QUOTA';
  }

  /** One warm link to each gateway that cells may go to, and to no other. */
  #refresh(): void {
    const consensus = this.#options.directory.current();
    if (consensus === this.#consensus) return;
    this.#consensus = consensus;
    const listed = new Map(
      (consensus?.nodes ?? [])
        .filter((node) => this.#mayUse(node, consensus))
        .map((node) => [node.nodeId, node]),
    );
    for (const [nodeId, link] of this.#gateways) {
      const node = listed.get(nodeId);
      if (node?.onion.host === link.node.onion.host && node.onion.port === link.node.onion.port) {
        listed.delete(nodeId);
      } else {
        this.#gateways.delete(nodeId);
        void link[Symbol.asyncDispose]();
      }
    }
    for (const [nodeId, node] of listed) this.#gateways.set(nodeId, this.#open(node));
  }

  /** Whoever sees the client's circuit must not open its cell: never this node or its family. */
  #mayUse(node: ConsensusNode, consensus: Consensus | undefined): boolean {
    const { nodeId, family } = this.#options.identity;
    return (
      node.flags.has('Gateway') &&
      node.nodeId !== nodeId &&
      node.family !== nodeId &&
      node.family !== consensus?.node(nodeId)?.family &&
      !family.includes(node.nodeId)
    );
  }

  #open(node: ConsensusNode): WarmLink<Flight> {
    return new WarmLink<Flight>({
      ...this.#options,
      node,
      onAnswer: (flight, payload) => {
        if (!this.#settle(flight)) return;
        flight.client.link.send({ type: 'BACK', id: flight.id, payload });
      },
    });
  }

  /** False when the flight was over already. */
  #settle(flight: Flight): boolean {
    if (!this.#deadlines.delete(flight)) return false;
    this.#release(flight);
    return true;
  }

  #release(flight: Flight): void {
    flight.client.inFlight -= 1;
    flight.gateway.done(flight);
  }

  #fail(flight: Flight): void {
    this.#release(flight);
    const code = flight.sent ? 'TIMEOUT' : 'UNREACHABLE';
    this.#sayError(flight.client, { id: flight.id, cell: flight.cell, code });
  }

  #refuse(client: RelayClient, refusal: Refusal): void {
    if (client.circuit.forwards.refusals.take()) this.#sayError(client, refusal);
    else client.link.close('flood', 'went on after its quota was used up');
  }

  #sayError({ link }: RelayClient, { id, cell, code }: Refusal): void {
    if (link.ended !== undefined) return;
    link.send({ type: 'BACK', id, payload: outerAnswer(this.#options.identity, { code, cell }) });
  }
}
