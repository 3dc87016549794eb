import { join } from 'node:path';
import { equalBytes } from '../base/bytes.ts';
import {
  makePrivateDirectory,
  readIfPresent,
  removeIfPresent,
  writeDurably,
} from '../io/durable-file.ts';
import { onionKeyFromSeed } from '../tor/onion-key.ts';
import { requireDevice } from './devices.ts';
import { type OnionName, ONIONS } from './home.ts';
import { ensureOwnDevice } from './own-device.ts';
import type { Plan } from './plan.ts';
import { OPEN_WALLET_ONION } from './plan-context.ts';
import type { Secrets } from './secrets.ts';

/** What tor derives from the key, and refuses when it is another key's. */
const DERIVED = ['hs_ed25519_public_key', 'hostname'];

/**
 * Puts tor's directories and the onions' keys in place.
 * @returns whether a key is another than before, an onion's or the own device's.
 * @throws UserError when no device's key protects the wallet onion and it is not meant to be open.
 */
export async function prepareTor(options: {
  readonly plan: Plan;
  readonly secrets: Secrets;
}): Promise<boolean> {
  const { plan, secrets } = options;
  const { home } = plan;
  for (const name of ['state', 'run', 'client-keys', 'onions']) {
    await makePrivateDirectory(join(home.data('tor'), name));
  }
  let isChanged = false;
  const onions: readonly (readonly [string, OnionName])[] = [
    ...ONIONS.map((name) => [home.onion(name), name] as const),
    [join(home.data('tor'), 'onions', OPEN_WALLET_ONION), 'wallet'],
  ];
  for (const [directory, name] of onions) {
    const key = onionKeyFromSeed(secrets.onionSeeds[name]).secretKeyFile;
    if (await putKey(directory, key)) isChanged = true;
  }
  if (await ensureOwnDevice(plan)) isChanged = true;
  await requireDevice(plan);
  return isChanged;
}

async function putKey(directory: string, key: Uint8Array): Promise<boolean> {
  await makePrivateDirectory(directory);
  const path = join(directory, 'hs_ed25519_secret_key');
  const held = await readIfPresent(path);
  if (held !== undefined && equalBytes(held, key)) return false;
  for (const name of DERIVED) await removeIfPresent(join(directory, name));
  await writeDurably(path, key);
  return true;
}
