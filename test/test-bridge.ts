import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { Scope } from '../src/base/lifecycle.ts';
import { type Logger, silent } from '../src/base/log.ts';
import { openHistoryCache } from '../src/bridge/history-cache.ts';
import { type Bridge, startBridge } from '../src/bridge/start-bridge.ts';
import { openWatchList } from '../src/bridge/watch-list.ts';
import type { Address } from '../src/io/dial.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import type { Lookup } from '../src/lookup/lookup.ts';
import { openDirectLookup } from '../src/lookup/open-direct-lookup.ts';
import { fastSchedule } from '../src/lookup/schedule.ts';

export interface TestBridge extends Bridge {
  readonly lookup: Lookup;
}

const clock = Date.now;
const { signal } = new AbortController();
setMaxListeners(0, signal);
const EVERY_MS = 300;

/** A bridge over a direct lookup at a server of this machine. */
export async function startTestBridge(server: Address, log: Logger = silent): Promise<TestBridge> {
  await using starting = new Scope();
  const { path } = starting.use(await makeTemporaryDirectory());
  const lookup = starting.use(
    await openDirectLookup({
      network: 'regtest',
      server: { host: 'own.onion', port: 50_001 },
      dial: (_, options) => loopbackDial(server, options),
      directory: join(path, 'lookup'),
      clock,
      log,
      signal,
    }),
  );
  await lookup.headers.reached(signal);
  const cache = starting.use(
    await openHistoryCache({
      directory: join(path, 'cache'),
      key: randomBytes(32),
      headers: lookup.headers,
      log,
      signal,
    }),
  );
  const schedule = fastSchedule({ everyMs: EVERY_MS, windowMs: 0, random: Math.random });
  const limits = { windowMs: 0 };
  const watchList = starting.use(openWatchList({ lookup, cache, schedule, limits, clock, log }));
  const listen = { host: '127.0.0.1', port: 0 };
  const bridge = starting.use(
    await startBridge({ listen, network: 'regtest', lookup, watchList, clock, log }),
  );
  const running = starting.move();
  return { ...bridge, lookup, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}
