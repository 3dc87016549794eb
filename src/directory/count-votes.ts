import { toBase64, toHex } from '../base/bytes.ts';
import { type ConsensusHead, type ConsensusParams, type LogHead } from './consensus-head.ts';
import { NODE_FLAGS, type NodeFlag } from './consensus-node.ts';
import { MAX_NODES, MAX_PARAMS } from './limits.ts';
import { type Vote, type VotedNode } from './vote.ts';

/** What more than half of the votes say (spec/directory.md section 10). */
export interface Tally extends ConsensusHead {
  readonly log: LogHead;
  /** In the order of their ids. The flags may be none. */
  readonly nodes: readonly VotedNode[];
}

/** Why votes make no consensus. */
export type CountFailure =
  /** Of more than half of all authorities there must be one. */
  | 'too-few-votes'
  /** No consensus before, with its log, is named by more than half of them. */
  | 'no-common-past';

/**
 * The same for everyone who has the same votes, in any order.
 * @param votes for one slot, each by another authority.
 * @param authorities how many the policy names.
 */
export function countVotes(votes: readonly Vote[], authorities: number): Tally | CountFailure {
  const [first] = votes;
  if (first === undefined || votes.length <= authorities / 2) return 'too-few-votes';
  const majority = Math.floor(votes.length / 2) + 1;
  const past = [...groupBy(votes, pastOf).values()].find((group) => group.length >= majority)?.[0];
  if (past === undefined) return 'no-common-past';
  const { network, epoch, validAfter, freshUntil, validUntil } = first;
  return {
    ...{ network, epoch, validAfter, freshUntil, validUntil },
    ...{ prev: past.prev, log: past.log },
    params: countParams(votes, majority),
    nodes: countNodes(votes, majority),
  };
}

/** The consensus before and the log up to it, which belong together. */
function pastOf({ prev, log }: Vote): string {
  return [toHex(prev), log.origin, log.size, toHex(log.root)].join(' ');
}

/** Those that more than half name, with the lower median of what they say. */
function countParams(votes: readonly Vote[], majority: number): ConsensusParams {
  const named = groupBy(
    votes.flatMap(({ params }) => [...params]),
    ([name]) => name,
  );
  const counted = [...named]
    .filter(([, group]) => group.length >= majority)
    .map(([name, group]) => [name, lowerMedian(group.map(([, value]) => value))] as const);
  return new Map(counted.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, MAX_PARAMS));
}

/**
 * Those that more than half list with the same descriptor. A vote lists one for a node, so that there
 * is never more than one such descriptor.
 */
function countNodes(votes: readonly Vote[], majority: number): readonly VotedNode[] {
  const listings = groupBy(
    votes.flatMap(({ nodes }) => nodes),
    ({ nodeId, descriptorDigest }) => `${nodeId} ${toBase64(descriptorDigest)}`,
  );
  return [...listings.values()]
    .filter((group) => group.length >= majority)
    .flatMap((group) => countNode(group, majority))
    .sort((a, b) => b.bond - a.bond || (a.nodeId < b.nodeId ? -1 : 1))
    .slice(0, MAX_NODES)
    .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
}

function countNode(listings: readonly VotedNode[], majority: number): readonly VotedNode[] {
  return listings.slice(0, 1).map(({ nodeId, descriptorDigest }) => ({
    nodeId,
    descriptorDigest,
    bond: vouchedFor(
      listings.map(({ bond }) => bond),
      majority,
    ),
    flags: new Set<NodeFlag>(
      NODE_FLAGS.filter(
        (flag) => listings.filter(({ flags }) => flags.has(flag)).length >= majority,
      ),
    ),
  }));
}

/** The greatest amount that so many say it is, or more. */
function vouchedFor(amounts: readonly number[], majority: number): number {
  return amounts.toSorted((a, b) => b - a)[majority - 1] ?? 0;
}

function lowerMedian(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
