import { z } from 'zod';
import { fromHex, toHex } from '../base/bytes.ts';
import { type EpochPlan } from './authority.ts';

/** The JSON lines between a devnet and one of its authority processes. */
const numbers = z.record(z.string(), z.number()).transform((all) => new Map(Object.entries(all)));

/** The first line on standard input. */
export const setupLine = z.strictObject({
  /** The name its signatures carry. */
  name: z.string(),
  network: z.string(),
  /** Holds the 32 bytes of its secret seed. */
  seedFile: z.string(),
  /** Holds the text it signed last. */
  recordFile: z.string(),
});

/** Each line after it. */
export const requestLine = z.strictObject({
  id: z.number(),
  descriptors: z.array(z.string()).readonly(),
  plan: z.strictObject({
    epoch: z.number(),
    prev: z.string().transform(fromHex),
    validAfter: z.number(),
    freshUntil: z.number(),
    validUntil: z.number(),
    params: numbers,
    weights: numbers.optional(),
  }),
});

/** One line on standard output for each request. */
export const answerLine = z.union([
  z.strictObject({ id: z.number(), note: z.string() }),
  z.strictObject({ id: z.number(), refused: z.string() }),
]);

export type Answer = z.infer<typeof answerLine>;

export function formatRequest(id: number, descriptors: readonly string[], plan: EpochPlan): string {
  const { prev, params, weights, ...rest } = plan;
  return JSON.stringify({
    id,
    descriptors,
    plan: {
      ...rest,
      prev: toHex(prev),
      params: Object.fromEntries(params),
      ...(weights && { weights: Object.fromEntries(weights) }),
    },
  } satisfies z.input<typeof requestLine>);
}

export function formatSetup(setup: z.input<typeof setupLine>): string {
  return JSON.stringify(setup);
}
