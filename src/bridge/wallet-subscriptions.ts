import { toHex } from '../base/bytes.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import { type ElectrumResults } from '../electrum/protocol.ts';
import { ElectrumRpcError, RPC_CODE } from '../electrum/rpc-error.ts';
import {
  type ElectrumHandlers,
  type ElectrumSession,
  type SessionContext,
} from '../electrum/session.ts';
import { type ChainTip, type VerifiedHeaders } from '../lookup/lookup.ts';
import { forWallet } from './for-wallet.ts';
import { type Subscription, type WatchedScripts } from './watched-scripts.ts';

export interface WalletSubscriptionsOptions {
  readonly watchList: Pick<WatchedScripts, 'subscribe'>;
  readonly headers: Pick<VerifiedHeaders, 'tip' | 'rawAt'>;
}

export type SubscriptionMethod =
  | 'blockchain.headers.subscribe'
  | 'blockchain.scripthash.subscribe'
  | 'blockchain.scripthash.unsubscribe';

/** A script that one wallet wants to be told about. */
interface ToldScript {
  readonly subscription: Subscription;
  /** The newest; undefined until the first. */
  status: string | null | undefined;
  /** What the wallet knows; undefined until its question was answered. */
  told: string | null | undefined;
}

/** A wallet of this many scripts is none. */
const MAX_SCRIPTS = 20_000;

/** What one connection has asked to be told about. */
export class WalletSubscriptions {
  readonly handlers: Required<Pick<ElectrumHandlers, SubscriptionMethod>>;
  readonly #options: WalletSubscriptionsOptions;
  readonly #scripts = new Map<string, ToldScript>();
  #headers = false;

  constructor(options: WalletSubscriptionsOptions) {
    this.#options = options;
    this.handlers = {
      'blockchain.headers.subscribe': () => {
        this.#headers = true;
        return this.#header(options.headers.tip);
      },
      'blockchain.scripthash.subscribe': ({ scripthash }, context) =>
        this.#subscribe(scripthash, context),
      'blockchain.scripthash.unsubscribe': ({ scripthash }) => this.#unsubscribe(scripthash),
    };
  }

  /** Tells the wallet of a new block, if it has asked for that. */
  tellTip(session: ElectrumSession, tip: ChainTip): void {
    if (this.#headers) session.notify('blockchain.headers.subscribe', [this.#header(tip)]);
  }

  stop(): void {
    for (const scriptHash of this.#scripts.keys()) this.#unsubscribe(scriptHash);
  }

  #header({ height }: ChainTip): ElectrumResults['blockchain.headers.subscribe'] {
    return { height, hex: toHex(this.#options.headers.rawAt(height, 1)) };
  }

  async #subscribe(
    scriptHash: string,
    { session, signal, afterReply }: SessionContext,
  ): Promise<string | null> {
    const script = this.#scripts.get(scriptHash) ?? this.#watch(scriptHash, session);
    try {
      const first = await forWallet(unlessAborted(script.subscription.first, signal));
      if (script.status === undefined) script.status = first;
    } catch (error) {
      if (this.#scripts.get(scriptHash) === script) this.#unsubscribe(scriptHash);
      throw error;
    }
    const { status } = script;
    // After the reply: a client that hears of a change first would take the reply for newer.
    afterReply(() => {
      script.told = status;
      this.#tell(scriptHash, session);
    });
    return status;
  }

  #watch(scriptHash: string, session: ElectrumSession): ToldScript {
    if (this.#scripts.size >= MAX_SCRIPTS) {
      const message = `a wallet is told about ${MAX_SCRIPTS} scripts at most`;
      throw new ElectrumRpcError(RPC_CODE.badRequest, message);
    }
    const onStatus = (status: string | null): void => {
      script.status = status;
      this.#tell(scriptHash, session);
    };
    const subscription = this.#options.watchList.subscribe(scriptHash, onStatus);
    const script: ToldScript = { subscription, status: undefined, told: undefined };
    this.#scripts.set(scriptHash, script);
    return script;
  }

  #tell(scriptHash: string, session: ElectrumSession): void {
    const script = this.#scripts.get(scriptHash);
    if (script?.told === undefined || script.status === undefined) return;
    if (script.status === script.told) return;
    script.told = script.status;
    session.notify('blockchain.scripthash.subscribe', [scriptHash, script.status]);
  }

  #unsubscribe(scriptHash: string): boolean {
    this.#scripts.get(scriptHash)?.subscription.stop();
    return this.#scripts.delete(scriptHash);
  }
}
