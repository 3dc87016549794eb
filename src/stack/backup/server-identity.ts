import { nodeIdOf } from '../../directory/node-id.ts';
import { signingKeyFromSeed } from '../../directory/signing-key.ts';
import { onionKeyFromSeed } from '../../tor/onion-key.ts';
import { REQUIRED } from './backup-paths.ts';
import type { Manifest } from './manifest.ts';
import { damaged } from './tar.ts';

const SEED_BYTES = 32;

/** What the world knows a server by, as it follows from the seeds. */
export type ServerIdentity = Pick<Manifest, 'onions' | 'nodeId'>;

/**
 * @param files of the server, by path relative to its home.
 * @throws UserError when a seed is missing or has not 32 bytes.
 */
export function identityOf(files: ReadonlyMap<string, Uint8Array>): ServerIdentity {
  const seed = (path: string): Uint8Array => {
    const bytes = files.get(path);
    if (bytes === undefined) throw damaged(`${path} is missing`);
    if (bytes.length !== SEED_BYTES) throw damaged(`${path} has not ${SEED_BYTES} bytes`);
    return bytes;
  };
  return {
    onions: {
      wallet: onionKeyFromSeed(seed(REQUIRED.walletSeed)).address,
      relay: onionKeyFromSeed(seed(REQUIRED.relaySeed)).address,
      p2p: onionKeyFromSeed(seed(REQUIRED.p2pSeed)).address,
    },
    nodeId: nodeIdOf(signingKeyFromSeed(seed(REQUIRED.identitySeed)).publicKey),
  };
}
