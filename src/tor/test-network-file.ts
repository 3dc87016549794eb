import { z } from 'zod';
import { writeDurably } from '../io/durable-file.ts';
import type { PrivateAuthority } from './private-network-torrc.ts';

const port = z.number().int().min(1).max(65_535);
const fingerprint = z.string().regex(/^[0-9A-F]{40}$/, 'expected 40 hexadecimal digits');

/** What a tor must know to join a private network, as a JSON file tells it to another program. */
export const testNetworkSchema = z
  .array(
    z.strictObject({
      nickname: z.string().regex(/^[A-Za-z0-9]{1,19}$/, 'expected 1 to 19 letters and digits'),
      host: z.ipv4(),
      orPort: port,
      dirPort: port,
      v3Ident: fingerprint,
      fingerprint,
    }),
  )
  .min(1)
  .max(9);

/** Writes what `testNetworkSchema` reads. */
export async function writeTestNetwork(
  path: string,
  authorities: readonly PrivateAuthority[],
): Promise<void> {
  await writeDurably(path, `${JSON.stringify(authorities, null, 2)}\n`);
}
