import { type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { type Logger } from '../base/log.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type OnionAddress } from '../directory/consensus-node.ts';
import { type DirectoryClient, type DirectorySource } from '../directory/directory-client.ts';
import { formatAddress } from '../io/dial.ts';
import { type ConsensusSource } from './consensus-source.ts';
import { type RelayPool } from './relay-pool.ts';

export interface NetworkConsensusOptions {
  readonly client: DirectoryClient;
  readonly pool: RelayPool;
  /** The relays to ask, in this order, given the consensus that is held, even one that has expired. */
  readonly relays: (held: Consensus | undefined) => readonly OnionAddress[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** How long a failed or vain attempt to renew an ageing consensus is not repeated. */
const PAUSE_MS = 60_000;

/** The consensus as relays of the network give it. It is renewed in the background as it ages. */
export class NetworkConsensus implements ConsensusSource, AsyncDisposable {
  readonly #options: NetworkConsensusOptions;
  readonly #closing = new AbortController();
  #refreshing: Promise<Consensus> | undefined;
  #renewedAt = -Infinity;

  constructor(options: NetworkConsensusOptions) {
    this.#options = options;
  }

  current(): Consensus | undefined {
    const { client, clock, log } = this.#options;
    if (client.isStale() && clock() - this.#renewedAt >= PAUSE_MS) {
      this.#shared().catch((error: unknown) => {
        log.warn('the consensus cannot be renewed', { reason: messageOf(error) });
      });
    }
    return client.current();
  }

  /** Callers share one attempt. @throws DirectoryError `unavailable` */
  refresh({ signal }: { readonly signal: AbortSignal }): Promise<Consensus> {
    return unlessAborted(this.#shared(), signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#refreshing?.catch(() => undefined);
  }

  #shared(): Promise<Consensus> {
    const { client, clock } = this.#options;
    this.#renewedAt = clock();
    this.#refreshing ??= client.refresh(this.#sources(), this.#closing.signal).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  #sources(): readonly DirectorySource[] {
    const { client, pool, relays } = this.#options;
    const held = client.held();
    return relays(held).map((onion) => ({
      name: formatAddress(onion),
      family: held?.nodes.find((node) => node.onion.host === onion.host)?.family,
      async fetch(kind, digest, signal) {
        const link = await pool.link(onion, 'directory');
        return link.directory(kind, digest, { signal });
      },
    }));
  }
}
