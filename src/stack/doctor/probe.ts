import { z } from 'zod';

const address = z.strictObject({ host: z.string(), port: z.int() });

/** What a probe tries from inside the network of a container. */
export const probeOrderSchema = z.strictObject({
  /** Numeric addresses to dial. */
  dial: z.array(address),
  /** A name to resolve, by resolv.conf and by each of the servers. */
  name: z.string(),
  resolvers: z.array(z.string()),
  /** SOCKS ports to ask for a connection into the clear. */
  proxies: z.array(address),
  timeoutMs: z.int(),
});

export type ProbeOrder = z.output<typeof probeOrderSchema>;

/** What came of it: one entry for each thing tried, in the order of the order. */
export const probeReportSchema = z.strictObject({
  dialled: z.array(z.enum(['opened', 'refused', 'silent'])),
  /** Whether resolv.conf's server answered. */
  resolved: z.boolean(),
  resolvedBy: z.array(z.boolean()),
  /** `granted`: the proxy connects, or did not refuse in time. */
  proxied: z.array(z.enum(['granted', 'refused', 'absent'])),
  /** The routers that packets to anywhere are given to. */
  routers: z.array(z.string()),
});

export type ProbeReport = z.output<typeof probeReportSchema>;
