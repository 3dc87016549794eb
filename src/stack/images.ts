import type { TargetKind } from '../config/stack-config.ts';
import type { ImageName } from './plan-context.ts';

const OURS = { tor: 'sotto-tor', node: 'sotto-node' } as const;
const BITCOIND = 'bitcoin/bitcoin:31.1';
const TARGETS: Readonly<Record<TargetKind, string>> = {
  fulcrum: 'cculianu/fulcrum:v2.1.2',
  electrs: 'getumbrel/electrs:v0.11.1',
  devnet: OURS.node,
};

/** The images of a plan; `SOTTO_TOR_IMAGE` and the like put others in their place. */
export function imagesOf(
  target: TargetKind,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<ImageName, string>> {
  const image = (name: ImageName, usual: string): string =>
    environment[`SOTTO_${name.toUpperCase()}_IMAGE`] ?? usual;
  return {
    tor: image('tor', OURS.tor),
    bitcoind: image('bitcoind', BITCOIND),
    target: image('target', TARGETS[target]),
    node: image('node', OURS.node),
  };
}
