import { toBase64, toHex } from '../base/bytes.ts';
import { type ConsensusHead, type ConsensusParams, type LogHead } from './consensus-head.ts';
import { NODE_FLAGS, type NodeFlag } from './consensus-node.ts';
import { MAX_NODES, MAX_PARAMS } from './limits.ts';
import { type Vote, type VotedNode } from './vote.ts';

/** What more than half of all authorities say (spec/directory.md section 10). */
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

/** The consensus before, and the log that ends with it. */
export type Past = Pick<Tally, 'prev' | 'log'>;

const NO_PARAMS: ConsensusParams = new Map();

/**
 * The same for everyone who has the same votes, in any order. More than half is of all authorities: where
 * votes are missing, fewer do not say more.
 * @param votes for one slot, each by another authority.
 * @param authorities how many the policy names.
 * @param before the parameters of the consensus that `commonPast` names.
 */
export function countVotes(
  votes: readonly Vote[],
  authorities: number,
  before = NO_PARAMS,
): Tally | CountFailure {
  const past = commonPast(votes, authorities);
  const [first] = votes;
  if (typeof past === 'string') return past;
  if (first === undefined) return 'too-few-votes';
  const majority = majorityOf(authorities);
  const { network, epoch, validAfter, freshUntil, validUntil } = first;
  return {
    ...{ network, epoch, validAfter, freshUntil, validUntil },
    ...past,
    params: countParams(votes, { majority, before }),
    nodes: countNodes(votes, majority),
  };
}

/** What the votes follow. `votes`, `authorities`: as of `countVotes`. */
export function commonPast(votes: readonly Vote[], authorities: number): Past | CountFailure {
  const majority = majorityOf(authorities);
  if (votes.length < majority) return 'too-few-votes';
  const groups = [...groupBy(votes, pastOf).values()];
  const [past] = groups.find((group) => group.length >= majority) ?? [];
  return past === undefined ? 'no-common-past' : { prev: past.prev, log: past.log };
}

function majorityOf(authorities: number): number {
  return Math.floor(authorities / 2) + 1;
}

/** The consensus before and the log up to it, which belong together. */
function pastOf({ prev, log }: Vote): string {
  return [toHex(prev), log.origin, log.size, toHex(log.root)].join(' ');
}

interface ParamOptions {
  readonly majority: number;
  readonly before: ConsensusParams;
}

function countParams(votes: readonly Vote[], { majority, before }: ParamOptions): ConsensusParams {
  const named = groupBy(
    votes.flatMap(({ params }) => [...params]),
    ([name]) => name,
  );
  const counted = [...named].flatMap(([name, group]) => {
    const values = group.map(([, value]) => value);
    const isLeftOut = votes.length - values.length >= majority;
    const value =
      values.length >= majority
        ? settledOf(values, { majority, before: before.get(name) })
        : isLeftOut
          ? undefined
          : before.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return new Map(counted.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, MAX_PARAMS));
}

/**
 * More than half say that it is this or more, and more than half that it is this or less. Where votes
 * are missing there can be many such values: it is the nearest to what it was.
 */
function settledOf(
  values: readonly number[],
  { majority, before }: { readonly majority: number; readonly before: number | undefined },
): number {
  const least = vouchedFor(values, majority);
  const most = values.toSorted((a, b) => a - b)[majority - 1] ?? 0;
  return Math.min(Math.max(before ?? lowerMedian(values), least), most);
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

/** The greatest value that so many say it is, or more. */
function vouchedFor(values: readonly number[], majority: number): number {
  return values.toSorted((a, b) => b - a)[majority - 1] ?? 0;
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
