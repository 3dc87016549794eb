import type { TargetKind } from '../config/stack-config.ts';
import { ownImageName } from './docker/image-context.ts';
import { loadPins, pinnedImage } from './pins.ts';
import type { ImageName } from './plan-context.ts';

/**
 * The images of a plan: our own by their content, others by the digest of `docker/pins.yaml`.
 * `SOTTO_TOR_IMAGE` and the like put others in their place.
 */
export async function imagesOf(
  target: TargetKind,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Readonly<Record<ImageName, string>>> {
  const pins = await loadPins();
  const node = environment['SOTTO_NODE_IMAGE'] ?? (await ownImageName('node'));
  return {
    tor: environment['SOTTO_TOR_IMAGE'] ?? (await ownImageName('tor')),
    bitcoind: environment['SOTTO_BITCOIND_IMAGE'] ?? pinnedImage(pins.bitcoind),
    target:
      environment['SOTTO_TARGET_IMAGE'] ?? (target === 'devnet' ? node : pinnedImage(pins[target])),
    node,
  };
}
