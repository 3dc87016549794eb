/**
 * Work on files that yields after each step that is on the disk. Whatever the process dies of, it
 * dies between two of them, or in one that is undone or done again: tests stop at each.
 */
export type DurableSteps = AsyncGenerator<string, void, void>;

export async function takeAll(steps: DurableSteps): Promise<void> {
  while ((await steps.next()).done !== true);
}
