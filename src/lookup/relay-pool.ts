import { type Clock } from '../base/clock.ts';
import { type Network } from '../bitcoin/networks.ts';
import { type OnionAddress } from '../directory/consensus-node.ts';
import { type Dial, formatAddress } from '../io/dial.ts';
import { openRelayLink, type RelayLink } from '../relay/relay-link.ts';

/** Why a stream is opened. Streams of different purposes never share a Tor circuit. */
export type Purpose = 'lookup' | 'broadcast' | 'fees' | 'headers' | 'directory';

export interface RelayPoolOptions {
  /** Reaches onion addresses only. */
  readonly dial: Dial;
  readonly network: Network;
  /** Random, so that other programs at the same tor never share a circuit with this one. */
  readonly session: string;
  /** Of the consensus in use, if there is one. */
  readonly consensusHash: () => Uint8Array | undefined;
  readonly clock: Clock;
  /** Bounds dialling. */
  readonly connectMs: number;
  /** From a cell to its answer: longer than relays hold a cell of a silent gateway. */
  readonly answerMs: number;
}

/** Links to relays, dialled when they are first needed, one for each relay and purpose. */
export class RelayPool implements AsyncDisposable {
  readonly #options: RelayPoolOptions;
  readonly #links = new Map<string, Promise<RelayLink>>();
  readonly #clients = new Map<string, number>();
  readonly #closing = new AbortController();

  constructor(options: RelayPoolOptions) {
    this.#options = options;
  }

  /** How many links of clients the relay says it has, as of the newest link to it. */
  clientsOf(onion: OnionAddress): number | undefined {
    return this.#clients.get(formatAddress(onion));
  }

  /**
   * Resolves once the stream is open: the relay may still refuse its HELLO. Rejects as `dial` does.
   * Whoever asks meanwhile gets the same link or error.
   */
  link(onion: OnionAddress, purpose: Purpose): Promise<RelayLink> {
    const key = `${formatAddress(onion)}/${purpose}`;
    const held = this.#links.get(key);
    if (held !== undefined) return held;
    const opening = this.#open(onion, purpose);
    this.#links.set(key, opening);
    const forget = (): void => {
      if (this.#links.get(key) === opening) this.#links.delete(key);
    };
    opening.then((link) => link.closed.then(forget), forget);
    return opening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const opened of await Promise.allSettled(this.#links.values())) {
      if (opened.status === 'fulfilled') await opened.value[Symbol.asyncDispose]();
    }
  }

  async #open(onion: OnionAddress, purpose: Purpose): Promise<RelayLink> {
    const { dial, network, session, consensusHash, clock, connectMs, answerMs } = this.#options;
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(connectMs)]);
    const stream = await dial(onion, { isolation: `${session}/${onion.host}/${purpose}`, signal });
    return openRelayLink({
      stream,
      network,
      consensusHash: consensusHash(),
      clock,
      limits: { forwardMs: answerMs },
      onClients: (clients) => this.#clients.set(formatAddress(onion), clients),
    });
  }
}
