import { join } from 'node:path';
import { readIfPresent } from '../io/durable-file.ts';
import { namesIfPresent } from '../io/file-tree.ts';
import { DirectoryError } from './directory-error.ts';
import { convict, type Equivocation, parseEvidence } from './equivocation.ts';
import type { Policy } from './policy.ts';

/**
 * What convicts authorities of this policy of all that a client, node or authority keeps in a directory,
 * while it may be writing there.
 * @throws DirectoryError as `parseEvidence`.
 */
export async function readEvidence(
  directory: string,
  policy: Policy,
): Promise<readonly Equivocation[]> {
  const found: Equivocation[] = [];
  for (const name of await namesIfPresent(directory)) {
    const document = name.endsWith('.tmp') ? undefined : await readIfPresent(join(directory, name));
    const convicted = document && convictedBy(document, policy);
    if (convicted !== undefined) found.push(convicted);
  }
  return found;
}

/** Of authorities that the policy does not name any more it says nothing. */
function convictedBy(document: Uint8Array, policy: Policy): Equivocation | undefined {
  const notes = parseEvidence(document);
  try {
    return convict(notes, policy);
  } catch (error) {
    if (error instanceof DirectoryError && error.code === 'no-equivocation') return undefined;
    throw error;
  }
}
