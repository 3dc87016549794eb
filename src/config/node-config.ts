import { z } from 'zod';
import { listenAddressSchema, networkSchema, privateAddressSchema } from './fields.ts';

/** What one node needs to run its relay and gateway roles. Without a policy it is of no network yet. */
export const nodeConfigSchema = z.strictObject({
  network: networkSchema,
  dataDirectory: z.string().describe('Keys, epoch keys and headers; made with mode 0700.'),
  makeKeys: z
    .boolean()
    .default(true)
    .describe('Whether keys that are missing are made; else the node does not start without them.'),
  listen: listenAddressSchema.describe('Where tor delivers the streams of the relay onion.'),
  expectProxyHeader: z
    .boolean()
    .default(true)
    .describe('Whether each stream opens with tor’s PROXY line (HiddenServiceExportCircuitID).'),
  target: privateAddressSchema.describe('The Electrum server that answers.'),
  socks: privateAddressSchema.describe(
    'Tor’s SOCKS port, through which other gateways are reached.',
  ),
  policyFile: z.string().optional().describe('The authorities this node believes.'),
  bondFile: z
    .string()
    .optional()
    .describe('What `sotto bond prove` wrote: coins locked for this node.'),
  leave: z.boolean().default(false).describe('Whether this node leaves the network.'),
  family: z.array(z.string()).default([]).describe('Node ids of the same operator.'),
  epochSeconds: z.number().int().min(60).default(86_400).describe('Life of an HPKE key.'),
  cellTimeoutMs: z.number().int().min(100).default(30_000).describe('When a cell has failed.'),
  observeFile: z
    .string()
    .optional()
    .describe('Devnet only: all that the roles’ code had in hand, one JSON object a line.'),
});

export type NodeConfig = z.infer<typeof nodeConfigSchema>;
