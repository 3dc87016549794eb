import { messageOf } from '../base/errors.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { type EvidenceCollector } from '../directory/evidence-collector.ts';
import { parseEvidenceNotice } from '../directory/evidence-notice.ts';
import { type OnionAddress } from '../directory/consensus-node.ts';
import { type NewestConsensus } from './newest-consensus.ts';

export interface FetchEvidenceOptions {
  readonly collector: EvidenceCollector;
  readonly newest: Pick<NewestConsensus, 'consensus'>;
  /** What is at an onion, until it is disposed. */
  readonly reach: (name: string, onion: OnionAddress) => DirectorySource & AsyncDisposable;
}

/** Two consensuses of 10,000 nodes, through Tor. */
const FETCH_MS = 100_000;

/**
 * Gives a function that fetches evidence where a notice says it is: at the onion of a listed node, from
 * one at a time. It throws DirectoryError for what is not evidence, `unknown-node`, and `busy` while another
 * is asked.
 */
export function evidenceFetcher(
  options: FetchEvidenceOptions,
): (notice: Uint8Array) => Promise<void> {
  let isFetching = false;
  return async (notice) => {
    const nodeId = parseEvidenceNotice(notice);
    const node = options.newest.consensus?.node(nodeId);
    if (node === undefined) throw new DirectoryError('unknown-node', 'the node is not listed');
    if (isFetching) throw new DirectoryError('busy', 'another node is being asked for evidence');
    isFetching = true;
    try {
      await using source = options.reach(nodeId, node.onion);
      await fetchFrom(source, options.collector);
    } finally {
      isFetching = false;
    }
  };
}

async function fetchFrom(source: DirectorySource, collector: EvidenceCollector): Promise<void> {
  try {
    const listed = await collector.collect(source, AbortSignal.timeout(FETCH_MS));
    if (listed === 0) throw new DirectoryError('no-equivocation', 'the node has no evidence');
  } catch (error) {
    if (error instanceof DirectoryError) throw error;
    throw new DirectoryError('busy', `the node was not reached: ${messageOf(error)}`);
  }
}
