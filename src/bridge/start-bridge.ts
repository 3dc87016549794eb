import type { Duplex } from 'node:stream';
import { type Clock } from '../base/clock.ts';
import { type Running, Scope } from '../base/lifecycle.ts';
import { type Logger } from '../base/log.ts';
import { type Network } from '../bitcoin/networks.ts';
import { type ElectrumSession, serveElectrumSession } from '../electrum/session.ts';
import { type SessionLimits } from '../electrum/session-limits.ts';
import { type Address } from '../io/dial.ts';
import { listenTcp } from '../io/listen.ts';
import { type Lookup } from '../lookup/lookup.ts';
import { type BridgeStatus } from './bridge-status.ts';
import { Broadcasts } from './broadcasts.ts';
import { calmLog } from './calm-log.ts';
import { Doorway } from './doorway.ts';
import { FeeCache } from './fee-cache.ts';
import { bridgeHandlers, SERVER_NAME } from './handlers.ts';
import { TransactionLookup } from './transaction-lookup.ts';
import { MempoolFees } from './mempool-fees.ts';
import { WalletSubscriptions } from './wallet-subscriptions.ts';
import { type WatchedScripts } from './watched-scripts.ts';

export interface BridgeOptions {
  /** Where wallets connect; port 0 picks a free one. Whoever reaches it sees what the wallets see. */
  readonly listen: Address;
  readonly network: Network;
  /** Owned by the caller. */
  readonly lookup: Lookup;
  /** Over the same lookup; owned by the caller. */
  readonly watchList: WatchedScripts;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A local Electrum server over a lookup. */
export interface Bridge extends Running {
  /** Where it listens. */
  readonly address: Address;
  status(): BridgeStatus;
}

const MAX_WALLETS = 100;
const MAX_SILENT = 100;
const SILENT_MS = 10_000;
/** More than wallets and silent ones together: those are turned away in words. */
const MAX_CONNECTIONS = 1_000;
const LIMITS: Partial<SessionLimits> = {
  maxReplyBytesOf14: 1_000_000,
  // While a wallet's first questions wait for answers from far away, it goes on asking.
  maxConcurrent: 2_000,
};

/** Serves unmodified wallets, versions 1.4 to 1.6 of the Electrum protocol. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { listen, lookup, watchList, clock } = options;
  const log = calmLog(options.log, clock);
  await using scope = new Scope();
  const estimates = scope.use(new FeeCache({ lookup, clock, log }));
  const transactions = scope.use(new TransactionLookup({ watchList, lookup, clock }));
  const fees = scope.use(new MempoolFees({ transactions, log }));
  const broadcasts = scope.use(new Broadcasts({ lookup, watchList }));
  const answers = bridgeHandlers({ ...options, estimates, transactions, fees, broadcasts });
  const serve = async (stream: Duplex): Promise<void> => {
    const subscriptions = new WalletSubscriptions({ watchList, headers: lookup.headers });
    const session: ElectrumSession = serveElectrumSession({
      stream,
      handlers: { ...answers, ...subscriptions.handlers },
      serverName: SERVER_NAME,
      limits: LIMITS,
      log,
    });
    const stop = lookup.headers.onTip((tip) => {
      subscriptions.tellTip(session, tip);
    });
    await session.closed;
    stop();
    subscriptions.stop();
  };
  const doorway = new Doorway({
    maxWallets: MAX_WALLETS,
    maxSilent: MAX_SILENT,
    silentMs: SILENT_MS,
    serve,
    log,
  });
  scope.defer(() => doorway.empty());
  const server = scope.use(
    await listenTcp({
      ...listen,
      maxConnections: MAX_CONNECTIONS,
      onConnection: (stream) => void doorway.enter(stream),
    }),
  );
  estimates.refresh();
  const running = scope.move();
  return {
    address: { host: server.host, port: server.port },
    failed: server.failed,
    status: () => ({
      wallets: doorway.wallets,
      connections: doorway.connections,
      watching: watchList.stats(),
      exposure: lookup.exposure(),
      tip: lookup.headers.tip,
      feesAgeMs: estimates.ageMs,
    }),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}
