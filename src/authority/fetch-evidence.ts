import { messageOf } from '../base/errors.ts';
import { type OnionAddress } from '../directory/consensus-node.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { EvidenceCollector } from '../directory/evidence-collector.ts';
import { type EvidenceFiles } from '../directory/evidence-files.ts';
import { parseEvidenceNotice } from '../directory/evidence-notice.ts';
import { type NodeId } from '../directory/node-id.ts';
import { type NewestConsensus } from './newest-consensus.ts';
import { byDeadline, type Time } from './time.ts';

export interface FetchEvidenceOptions {
  readonly evidence: EvidenceFiles;
  readonly newest: Pick<NewestConsensus, 'consensus'>;
  /** What is at an onion, until it is disposed. */
  readonly reach: (name: string, onion: OnionAddress) => DirectorySource & AsyncDisposable;
  /** Must not be set: what it tells apart is only ever a while. */
  readonly time: Time;
}

/** Each can hold 8 MB of memory. */
const PLACES = 4;
/** With the connection to the onion. A node that has evidence is one of many that have it. */
const INDEX_MS = 20_000;
/** For all that a node has: two consensuses of 10,000 nodes, through Tor. */
const FETCH_MS = 100_000;
/** Anybody can send a notice in the name of a node, and again and again. */
const REST_MS = 3_600_000;

interface Asked {
  readonly nodeId: NodeId;
  readonly weight: number;
  readonly stop: AbortController;
}

/**
 * Gives a function that fetches evidence where a notice says it is: at the onion of a listed node, from
 * four at a time, a heavier node in the place of the lightest. A node that had no news rests for an hour. It
 * throws DirectoryError for what is not evidence, `unknown-node`, and `busy` for a node that rests or finds no place.
 */
export function evidenceFetcher(
  options: FetchEvidenceOptions,
): (notice: Uint8Array) => Promise<void> {
  const { newest, reach, time } = options;
  const places = new Set<Asked>();
  /** When each may be asked again, in milliseconds. */
  const resting = new Map<NodeId, number>();

  const checkRested = (nodeId: NodeId): void => {
    for (const [each, until] of resting) if (until <= time.now()) resting.delete(each);
    if (resting.has(nodeId)) throw busy('the node had no news when it was asked');
    if ([...places].some((asked) => asked.nodeId === nodeId)) throw busy('it is being asked');
  };
  const takePlace = (nodeId: NodeId, weight: number): Asked => {
    if (places.size >= PLACES) {
      const lightest = [...places].reduce((one, other) =>
        other.weight < one.weight ? other : one,
      );
      if (lightest.weight >= weight) throw busy('other nodes are being asked for evidence');
      places.delete(lightest);
      lightest.stop.abort();
    }
    const asked = { nodeId, weight, stop: new AbortController() };
    places.add(asked);
    return asked;
  };
  return async (notice) => {
    const nodeId = parseEvidenceNotice(notice);
    const node = newest.consensus?.node(nodeId);
    if (node === undefined) throw new DirectoryError('unknown-node', 'the node is not listed');
    checkRested(nodeId);
    const asked = takePlace(nodeId, node.weight);
    let news = 0;
    try {
      await using source = reach(nodeId, node.onion);
      news = await fetchFrom(source, asked.stop.signal, options);
    } finally {
      places.delete(asked);
      if (news === 0 && !asked.stop.signal.aborted) resting.set(nodeId, time.now() + REST_MS);
    }
  };
}

/** How many pairs are news. */
async function fetchFrom(
  source: DirectorySource,
  signal: AbortSignal,
  { evidence, time }: FetchEvidenceOptions,
): Promise<number> {
  const collector = new EvidenceCollector(evidence, source);
  const [indexMs, endMs] = [time.now() + INDEX_MS, time.now() + FETCH_MS];
  try {
    const listed = await byDeadline({ deadlineMs: indexMs, time, signal }, (until) =>
      collector.list(until),
    );
    if (listed.length === 0) {
      throw new DirectoryError('no-equivocation', 'the node has no evidence');
    }
    return await byDeadline({ deadlineMs: endMs, time, signal }, (until) =>
      collector.take(listed, until),
    );
  } catch (error) {
    if (error instanceof DirectoryError) throw error;
    throw busy(`it cannot be had of the node: ${messageOf(error)}`);
  }
}

function busy(message: string): DirectoryError {
  return new DirectoryError('busy', message);
}
