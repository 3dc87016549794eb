import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Clock } from '../base/clock.ts';
import { Scope } from '../base/lifecycle.ts';
import { type Logger } from '../base/log.ts';
import { type Network, networkParams } from '../bitcoin/networks.ts';
import { startElectrumClient } from '../electrum/client.ts';
import { electrumHeaderSource } from '../electrum/electrum-header-source.ts';
import { openHeaderStore } from '../electrum/header-store.ts';
import { syncHeaders } from '../electrum/header-sync.ts';
import { type Address, type Dial, formatAddress } from '../io/dial.ts';
import { makePrivateDirectory } from '../io/durable-file.ts';
import { blamingServer } from './blame-server.ts';
import { DirectLookup } from './direct-lookup.ts';
import { News } from './header-news.ts';
import { HeaderView } from './header-view.ts';
import { type ChainTip, type Lookup } from './lookup.ts';
import { ScriptHints } from './script-hints.ts';

export interface OpenDirectLookupOptions {
  readonly network: Network;
  /** The user's own server, by its onion. */
  readonly server: Address;
  /** Reaches onion addresses only. */
  readonly dial: Dial;
  /** The headers are kept here. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Gives up the opening. */
  readonly signal: AbortSignal;
  /** Told how far the verified headers reach: from the first block on, mainnet takes minutes. */
  readonly onProgress?: (tip: ChainTip) => void;
  /** Told why the headers could not be brought up to date. It is tried again. */
  readonly onTrouble?: (error: unknown) => void;
}

const CLIENT_NAME = 'sotto';
const TIMEOUT_MS = 60_000;
/** So often the server is asked for new blocks although it tells of none. */
const QUIET_MS = 60_000;

/** Connects to the server. @throws LookupError with the server at fault; the signal's reason. */
export async function openDirectLookup(options: OpenDirectLookupOptions): Promise<Lookup> {
  const { network, server, dial, clock, log, signal } = options;
  const onion = formatAddress(server);
  const isolation = `${randomBytes(16).toString('hex')}/${onion}/direct`;
  await using opening = new Scope();
  await makePrivateDirectory(options.directory);
  const params = networkParams(network);
  const path = join(options.directory, 'headers');
  const store = opening.use(await openHeaderStore(path, { params, clock }));
  const blocks = new News();
  let hints: ScriptHints | undefined = undefined;
  const client = opening.use(
    await blamingServer(onion, () =>
      startElectrumClient({
        dial: (dialing) => dial(server, { isolation, signal: dialing }),
        clientName: CLIENT_NAME,
        timeoutMs: TIMEOUT_MS,
        log,
        signal,
        onReconnect: () => {
          blocks.tell();
          hints?.renew();
        },
      }),
    ),
  );
  hints = new ScriptHints(client);
  client.on('blockchain.headers.subscribe', () => {
    blocks.tell();
  });
  const sources = [electrumHeaderSource(onion, client)];
  const { chain } = store;
  const headers = opening.use(
    new HeaderView({
      store,
      onProgress: options.onProgress,
      onTrouble: options.onTrouble,
      news: (until) => blocks.next(QUIET_MS, until),
      // To subscribe is repeated each time: a server forgets it with the connection.
      sync: (call) =>
        Promise.all([
          client.call('blockchain.headers.subscribe', {}, { signal: call.signal }),
          syncHeaders({ chain, sources, timeoutMs: TIMEOUT_MS, ...call }),
        ]),
    }),
  );
  const scope = opening.move();
  return new DirectLookup({ network, client, onion, headers, hints, clock, scope });
}
