import { z } from 'zod';

/** What one authority said of the newest descriptor, or that it was not reached. */
const answerSchema = z.strictObject({
  authority: z.string(),
  verdict: z.enum(['taken', 'refused', 'later', 'unreached']),
  /**
   * A code of spec/directory.md section 8 and words, or why it was not reached. When it was taken, empty
   * or what of it does not count.
   */
  reason: z.string(),
  /** Unix seconds. */
  at: z.number(),
});

/** How far the newest descriptor has come; the node keeps it in `publication.json`. */
export const publicationSchema = z.strictObject({
  /** Of the descriptor: 64 hexadecimal characters. */
  descriptor: z.string(),
  authorities: z.array(z.string()),
  /** Of those who have answered, or failed to, since there is this descriptor. */
  answers: z.array(answerSchema),
});

export type AuthorityAnswer = z.infer<typeof answerSchema>;
export type Publication = z.infer<typeof publicationSchema>;
