import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { Scope } from '../src/base/lifecycle.ts';
import { type Logger, silent } from '../src/base/log.ts';
import { openBridge } from '../src/bridge/open-bridge.ts';
import type { Bridge } from '../src/bridge/start-bridge.ts';
import type { Address } from '../src/io/dial.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { openDirectLookup } from '../src/lookup/open-direct-lookup.ts';
import { hintedSchedule } from '../src/lookup/schedule.ts';

export interface TestBridgeOptions {
  readonly log?: Logger;
  /** Over which first questions are collected: none unless given. */
  readonly windowMs?: number;
}

const clock = Date.now;
const EVERY_MS = 5_000;
const { signal } = new AbortController();
setMaxListeners(0, signal);

/** A bridge over a direct lookup at a server of this machine. */
export async function startTestBridge(
  server: Address,
  { log = silent, windowMs = 0 }: TestBridgeOptions = {},
): Promise<Bridge> {
  await using starting = new Scope();
  const { path } = starting.use(await makeTemporaryDirectory());
  const common = { network: 'regtest', clock, log, signal } as const;
  const lookup = starting.use(
    await openDirectLookup({
      ...common,
      server: { host: 'own.onion', port: 50_001 },
      dial: (_, options) => loopbackDial(server, options),
      directory: join(path, 'lookup'),
    }),
  );
  await lookup.headers.reached(signal);
  const bridge = starting.use(
    await openBridge({
      ...common,
      lookup,
      listen: { host: '127.0.0.1', port: 0 },
      directory: join(path, 'histories'),
      key: randomBytes(32),
      schedule: hintedSchedule({ everyMs: EVERY_MS, windowMs: 0, random: Math.random }),
      windowMs,
    }),
  );
  const running = starting.move();
  return { ...bridge, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}
