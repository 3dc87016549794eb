import { join } from 'node:path';
import type { Logger } from '../base/log.ts';
import { writePlan } from './apply.ts';
import { takeAll } from './durable-steps.ts';
import type { Home, OnionName } from './home.ts';
import { openStack } from './open-stack.ts';
import { OPEN_WALLET_ONION } from './plan-context.ts';
import { replaceOnion } from './replace-onion.ts';
import { rotateSeed, type SeedFile } from './rotate-seed.ts';
import type { ServiceName } from './service.ts';

export interface RotateOptions {
  /** Absolute path of the home. */
  readonly home: string;
  readonly name: OnionName;
  readonly log: Logger;
  /** Aborts before the change only. */
  readonly signal: AbortSignal;
}

export interface Rotated {
  readonly former: string;
  /** The same as `former` when what was ended is a rotation that had been interrupted. */
  readonly address: string;
  /** Whether a tor runs, and has the new onion up. */
  readonly isUp: boolean;
}

/** Who reads the key, or its address, at its own start. */
const READERS: Readonly<Record<OnionName, readonly ServiceName[]>> = {
  wallet: [],
  p2p: ['bitcoind'],
  relay: ['node'],
};

/** Gives an onion another key, and so another address, and erases the key it had. */
export async function rotateOnion(options: RotateOptions): Promise<Rotated> {
  const { home: directory, name, log, signal } = options;
  const { home, plan, backend } = await openStack(directory, { log });
  const states = await backend.states({ signal });
  const rotate = async (): Promise<void> => {
    await takeAll(rotateSeed(seedFileOf(home, name)));
    const fresh = await openStack(directory, { log });
    await writePlan(fresh);
  };
  const isUp = await replaceOnion({ plan, name, change: rotate, signal });
  const fresh = await openStack(directory, { log });
  const running = states.flatMap(({ service, state }) => (state === 'running' ? service : []));
  const readers = READERS[name].filter((service) => running.includes(service));
  if (readers.length > 0) await fresh.backend.restart(readers, { signal });
  return { former: plan.onions[name], address: fresh.plan.onions[name], isUp };
}

function seedFileOf(home: Home, name: OnionName): SeedFile {
  const directories = [
    home.onion(name),
    ...(name === 'wallet' ? [join(home.data('tor'), 'onions', OPEN_WALLET_ONION)] : []),
  ];
  return {
    path:
      name === 'relay'
        ? join(home.data('node'), 'keys', 'relay-onion.seed')
        : join(home.secrets, `${name}.seed`),
    copies: directories.map((directory) => join(directory, 'hs_ed25519_secret_key')),
  };
}
