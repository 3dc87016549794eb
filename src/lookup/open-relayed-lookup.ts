import { join } from 'node:path';
import { Scope } from '../base/lifecycle.ts';
import { networkParams } from '../bitcoin/networks.ts';
import { openHeaderStore } from '../electrum/header-store.ts';
import { BondChecks } from './bond-checks.ts';
import { type ClientDirectoryOptions, openClientDirectory } from './client-directory.ts';
import { currentConsensus } from './consensus-source.ts';
import { FaultLog } from './fault-log.ts';
import { nowAndThen } from './header-news.ts';
import { HeaderView } from './header-view.ts';
import { type ChainTip, type Lookup } from './lookup.ts';
import { syncFromRelays } from './relay-headers.ts';
import { RelayedLookup } from './relayed-lookup.ts';

export interface OpenRelayedLookupOptions extends ClientDirectoryOptions {
  /** Gives up the opening. */
  readonly signal: AbortSignal;
  /** Told how far the verified headers reach: from the first block on, mainnet takes minutes. */
  readonly onProgress?: (tip: ChainTip) => void;
  /** Told why the headers could not be brought up to date. It is tried again. */
  readonly onTrouble?: (error: unknown) => void;
  /** How often the relays are asked for new blocks, on average. */
  readonly headersEveryMs?: number;
  /** How long a transaction waits before it is sent, on average. */
  readonly broadcastDelayMs?: number;
}

const HEADERS_EVERY_MS = 10_000;
// Together well below the 60 s that Electrum gives a server to take a transaction.
const BROADCAST_DELAY_MS = 3_000;
const LOOK_EVERY_MS = 2_000;
const SEEN_WITHIN_MS = 30_000;

/**
 * Opens the state of a wallet and fetches a consensus unless a valid one is held. Headers come while
 * the first questions are on their way.
 * @throws UserError when the state is damaged; DirectoryError `unavailable`; the signal's reason.
 */
export async function openRelayedLookup(options: OpenRelayedLookupOptions): Promise<Lookup> {
  const {
    clock,
    log,
    signal,
    headersEveryMs = HEADERS_EVERY_MS,
    broadcastDelayMs = BROADCAST_DELAY_MS,
  } = options;
  await using opening = new Scope();
  const { network, choices, consensus, pool } = await openClientDirectory(options);
  opening.use(pool);
  opening.use(consensus);
  if (consensus.current() === undefined) await consensus.refresh({ signal });
  const faults = new FaultLog();
  const params = networkParams(network);
  const path = join(options.directory, 'headers');
  const store = opening.use(await openHeaderStore(path, { params, clock }));
  const bonds = opening.use(
    new BondChecks({
      pool,
      chain: store.chain,
      syncOnce: (until) => headers.syncOnce(until),
      faults,
      clock,
    }),
  );
  const headers: HeaderView = opening.use(
    new HeaderView({
      store,
      onProgress: options.onProgress,
      onTrouble: options.onTrouble,
      news: (until) => nowAndThen(headersEveryMs, until),
      sync: (call) => {
        const relays = choices.relays(bonds.judge(currentConsensus(consensus)));
        return syncFromRelays(relays, { chain: store.chain, pool, faults, ...call });
      },
    }),
  );
  const scope = opening.move();
  return new RelayedLookup({
    network,
    consensus,
    choices,
    bonds,
    pool,
    headers,
    faults,
    pace: { delayMs: broadcastDelayMs, lookEveryMs: LOOK_EVERY_MS, seenWithinMs: SEEN_WITHIN_MS },
    clock,
    log,
    scope,
  });
}
