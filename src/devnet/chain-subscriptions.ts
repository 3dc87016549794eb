import type { ElectrumHandlers, ElectrumSession } from '../electrum/session.ts';
import type { ElectrumResults } from '../electrum/protocol.ts';
import type { ChainChange, RegtestChain } from './chain.ts';
import type { SubscriptionMethod } from './chain-answers.ts';

/** What one connection has asked to be told about. */
export class ChainSubscriptions {
  readonly handlers: Required<Pick<ElectrumHandlers, SubscriptionMethod>>;
  readonly #chain: RegtestChain;
  #headers = false;
  /** The status that the client knows of each script. */
  readonly #statuses = new Map<string, string | null>();

  constructor(chain: RegtestChain) {
    this.#chain = chain;
    this.handlers = {
      'blockchain.headers.subscribe': () => {
        this.#headers = true;
        return this.#tip();
      },
      'blockchain.scripthash.subscribe': ({ scripthash }) => {
        const status = this.#chain.ledger.status(scripthash);
        this.#statuses.set(scripthash, status);
        return status;
      },
      'blockchain.scripthash.unsubscribe': ({ scripthash }) => this.#statuses.delete(scripthash),
    };
  }

  /** Tells the client what of this it has asked for, the tip first. */
  notify(session: ElectrumSession, { tip, scriptHashes }: ChainChange): void {
    if (tip && this.#headers) session.notify('blockchain.headers.subscribe', [this.#tip()]);
    for (const scriptHash of scriptHashes) {
      if (!this.#statuses.has(scriptHash)) continue;
      const status = this.#chain.ledger.status(scriptHash);
      if (status === this.#statuses.get(scriptHash)) continue;
      this.#statuses.set(scriptHash, status);
      session.notify('blockchain.scripthash.subscribe', [scriptHash, status]);
    }
  }

  #tip(): ElectrumResults['blockchain.headers.subscribe'] {
    const { height, headerHex } = this.#chain.tip;
    return { height, hex: headerHex };
  }
}
