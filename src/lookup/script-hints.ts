import { type ElectrumClient } from '../electrum/client.ts';
import { Gate } from '../electrum/gate.ts';
import { isSpokenIn } from '../electrum/protocol.ts';

interface Watched {
  readonly listeners: Set<() => void>;
  /** What the server said last; undefined before it said anything. */
  status: string | null | undefined;
}

type Client = Pick<ElectrumClient, 'call' | 'on' | 'protocol'>;

/** Subscriptions asked for at a time, so that other calls are not kept waiting behind all of them. */
const AT_ONCE = 64;

/**
 * Subscriptions at the user's own server. What it says of a script is taken as a hint that the history
 * may have changed, and nothing more. A subscription that the server refuses gives no hints.
 */
export class ScriptHints {
  readonly #client: Client;
  readonly #watched = new Map<string, Watched>();
  readonly #asking = new Gate(AT_ONCE);

  constructor(client: Client) {
    this.#client = client;
    client.on('blockchain.scripthash.subscribe', ([scriptHash, status]) => {
      this.#heard(scriptHash, status);
    });
  }

  watch(scriptHash: string, onHint: () => void): () => void {
    const held = this.#watched.get(scriptHash);
    const watched = held ?? { listeners: new Set(), status: undefined };
    const listener = (): void => {
      onHint();
    };
    watched.listeners.add(listener);
    if (held === undefined) {
      this.#watched.set(scriptHash, watched);
      void this.#subscribe(scriptHash);
    }
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size === 0) this.#forget(scriptHash, watched);
    };
  }

  /** To be called after each reconnection: the server has forgotten the subscriptions. */
  renew(): void {
    for (const scriptHash of this.#watched.keys()) void this.#subscribe(scriptHash);
  }

  async #subscribe(scriptHash: string): Promise<void> {
    await this.#asking.enter();
    try {
      if (!this.#watched.has(scriptHash)) return;
      const script = { scripthash: scriptHash };
      this.#heard(scriptHash, await this.#client.call('blockchain.scripthash.subscribe', script));
    } catch {
      // Refused, or the connection is gone, which renews them all.
    } finally {
      this.#asking.leave();
    }
  }

  #heard(scriptHash: string, status: string | null): void {
    const watched = this.#watched.get(scriptHash);
    if (watched === undefined || watched.status === status) return;
    const isFirst = watched.status === undefined;
    watched.status = status;
    if (isFirst) return;
    for (const listener of watched.listeners) listener();
  }

  #forget(scriptHash: string, watched: Watched): void {
    if (this.#watched.get(scriptHash) !== watched) return;
    this.#watched.delete(scriptHash);
    const method = 'blockchain.scripthash.unsubscribe';
    if (!isSpokenIn(method, this.#client.protocol)) return;
    this.#client.call(method, { scripthash: scriptHash }).catch(() => undefined);
  }
}
