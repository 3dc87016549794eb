import { z } from 'zod';
import { listenAddressSchema, privateAddressSchema } from './fields.ts';

/** What a guard needs: it stands between strangers and an Electrum server. */
export const guardConfigSchema = z.strictObject({
  listen: listenAddressSchema.describe('Where clients come in: from tor, or from a local network.'),
  target: privateAddressSchema.describe('The Electrum server that answers.'),
  expectProxyHeader: z
    .boolean()
    .default(true)
    .describe('Behind tor each stream opens with a PROXY line that names the circuit.'),
});

export type GuardConfig = z.infer<typeof guardConfigSchema>;
