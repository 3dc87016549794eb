import { z } from 'zod';
import { listenAddressSchema, networkSchema, privateAddressSchema } from './fields.ts';

const seconds = (most: number) => z.number().int().min(1).max(most);

/** What one directory authority needs to take part in making the network's consensus. */
export const authorityConfigSchema = z.strictObject({
  network: networkSchema,
  name: z.string().describe('Of this authority, as the policy has it.'),
  dataDirectory: z.string().describe('Its key and all that it keeps; mode 0700.'),
  listen: listenAddressSchema.describe('Where tor delivers the streams of its onion.'),
  expectProxyHeader: z
    .boolean()
    .default(true)
    .describe('Whether each stream opens with tor’s PROXY line (HiddenServiceExportCircuitID).'),
  socks: privateAddressSchema.describe('Tor’s SOCKS port, through which the others are reached.'),
  target: privateAddressSchema.describe(
    'The Electrum server whose headers show what bonds are worth.',
  ),
  policyFile: z.string().describe('All authorities of the network with their onions.'),
  params: z
    .record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/), z.number().int().min(0))
    .default({})
    .describe('Parameters of the network that this authority votes for.'),
  probeSeconds: seconds(86_400)
    .default(1800)
    .describe('How often it looks whether a node is there.'),
  timeline: z
    .strictObject({
      periodSeconds: seconds(86_400),
      validSeconds: seconds(86_400),
      voteSeconds: seconds(3600),
      signSeconds: seconds(3600),
    })
    .default({ periodSeconds: 21_600, validSeconds: 86_400, voteSeconds: 600, signSeconds: 300 })
    .describe('The same for all authorities of a network: spec/directory.md section 9.'),
});

export type AuthorityConfig = z.infer<typeof authorityConfigSchema>;
