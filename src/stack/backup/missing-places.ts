import type { StackConfig } from '../../config/stack-config.ts';
import { kindOf } from '../../io/file-tree.ts';

/** A place outside the home that the configuration names. */
export interface Place {
  /** As in `sotto.yaml`: `relay.policy`. */
  readonly setting: string;
  readonly path: string;
}

/** Those that are not on this machine: a backup does not hold them. */
export async function missingPlaces(config: StackConfig): Promise<readonly Place[]> {
  const named = {
    storage: config.storage,
    bitcoin_data: config.bitcoinData,
    'relay.policy': config.relay?.policy,
    'relay.bond': config.relay?.bond,
    'tor.test_network': config.testNetworkFile,
  };
  const missing: Place[] = [];
  for (const [setting, path] of Object.entries(named)) {
    if (path !== undefined && (await kindOf(path)) === undefined) missing.push({ setting, path });
  }
  return missing;
}
