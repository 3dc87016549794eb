import { join } from 'node:path';
import { type AuthorityConfig } from '../config/authority-config.ts';
import { parseConsensus } from '../directory/consensus.ts';
import { parseDescriptorText } from '../directory/descriptor-text.ts';
import { textOfNote } from '../directory/note.ts';
import { readIfPresent } from '../io/durable-file.ts';
import { isLocked } from '../io/file-access.ts';
import { namesIfPresent } from '../io/file-tree.ts';
import { openAuthorityKey } from './authority-key.ts';

/** What `sotto authority status --json` prints. Times are Unix seconds. */
export interface AuthorityStatus {
  readonly name: string;
  readonly network: string;
  readonly running: boolean;
  /** That have not left, and whose newest descriptor has not expired. */
  readonly nodes: number;
  /** Pairs of notes that convict an authority. */
  readonly evidence: number;
  readonly consensus?: {
    readonly epoch: number;
    readonly validAfter: number;
    readonly freshUntil: number;
    readonly validUntil: number;
    readonly nodes: number;
  };
}

/**
 * Reads what an authority keeps on disk, without a word with it. `now`: milliseconds.
 * @throws UserError when there is no authority.
 */
export async function authorityStatus(
  { name, network, dataDirectory }: AuthorityConfig,
  now: number,
): Promise<AuthorityStatus> {
  await openAuthorityKey(dataDirectory);
  const state = join(dataDirectory, 'state');
  const evidence = (await recordsIn(join(state, 'evidence'))).length;
  const lock = join(dataDirectory, 'lock');
  const running = (await readIfPresent(lock)) !== undefined && (await isLocked(lock));
  const nodes = await nodesIn(join(dataDirectory, 'nodes'), now);
  const newest = (await recordsIn(join(state, 'consensuses'))).at(-1);
  const status = { name, network, running, nodes, evidence };
  const note = newest && (await readIfPresent(join(state, 'consensuses', newest)));
  if (!note) return status;
  const consensus = parseConsensus(textOfNote(note));
  const { epoch, validAfter, freshUntil, validUntil } = consensus;
  const listed = consensus.nodes.length;
  return { ...status, consensus: { epoch, validAfter, freshUntil, validUntil, nodes: listed } };
}

async function nodesIn(directory: string, now: number): Promise<number> {
  const newest = new Map<string, number>();
  for (const name of await recordsIn(directory)) {
    const note = await readIfPresent(join(directory, name));
    // One that was replaced meanwhile.
    if (note === undefined) continue;
    const { nodeId, expires } = parseDescriptorText(textOfNote(note));
    newest.set(nodeId, expires);
  }
  return [...newest.values()].filter((expires) => expires > now / 1000).length;
}

/** Sorted, without those that are being written. */
async function recordsIn(directory: string): Promise<readonly string[]> {
  return (await namesIfPresent(directory)).filter((name) => !name.endsWith('.tmp'));
}
