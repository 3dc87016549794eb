import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { verifyConsensus } from '../directory/accept-consensus.ts';
import type { Consensus } from '../directory/consensus.ts';
import { openNote } from '../directory/note.ts';
import type { Policy } from '../directory/policy.ts';
import { slotAt, type Timeline } from '../directory/timeline.ts';
import { readIfPresent } from '../io/durable-file.ts';
import { waitUntil } from '../io/wait-until.ts';
import { readPublication } from '../node/publication-file.ts';
import type { DevnetNode } from './network-node.ts';

/** The newest consensus that a node goes by. */
export interface SignedConsensus {
  readonly consensus: Consensus;
  /** How many authorities signed it. */
  readonly signatures: number;
}

type ListedNode = Pick<DevnetNode, 'nodeId' | 'dataDirectory'>;

export interface FirstConsensusOptions {
  readonly nodes: readonly ListedNode[];
  readonly policy: Policy;
  readonly timeline: Timeline;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (what: string) => void;
}

const POLL_MS = 100;
/** On a machine that has much to do slots are missed: nodes come late, votes are not in on time. */
const SLOTS = 8;

/** Waits until every node goes by a consensus that lists all of them as running. */
export async function awaitFirstConsensus(options: FirstConsensusOptions): Promise<void> {
  const { nodes, timeline, signal, onProgress } = options;
  let said = '';
  const say = (what: string): void => {
    if (what !== said) onProgress(what);
    said = what;
  };
  const isThere = async (): Promise<true | undefined> => {
    const complete = await countWhere(options, ({ dataDirectory }) => isComplete(dataDirectory));
    if (complete === nodes.length) return true;
    if (complete > 0) say(`${complete} of ${nodes.length} nodes have the consensus`);
    else say(await describeWait(options));
    return undefined;

    async function isComplete(dataDirectory: string): Promise<boolean> {
      const held = await readConsensus(dataDirectory, options.policy);
      return nodes.every(({ nodeId }) => held?.consensus.node(nodeId)?.flags.has('Running'));
    }
  };
  await waitUntil(isThere, {
    what: 'a consensus of all nodes',
    instead: () => said,
    timeoutMs: SLOTS * timeline.periodSeconds * 1000,
    intervalMs: POLL_MS,
    signal,
  });
}

/** Of all that nodes go by: one that was stopped goes by an old one. */
export async function newestConsensus(
  nodes: readonly ListedNode[],
  policy: Policy,
): Promise<SignedConsensus> {
  const all = await Promise.all(
    nodes.map(({ dataDirectory }) => readConsensus(dataDirectory, policy)),
  );
  const [newest] = all
    .filter((each) => each !== undefined)
    .sort((a, b) => b.consensus.epoch - a.consensus.epoch);
  if (newest === undefined) throw new Error('no node has a consensus');
  return newest;
}

/** What the node with this data directory goes by; undefined before its first consensus. */
async function readConsensus(
  dataDirectory: string,
  policy: Policy,
): Promise<SignedConsensus | undefined> {
  const note = await readIfPresent(join(dataDirectory, 'consensus'));
  if (note === undefined) return undefined;
  const verifiers = policy.authorities.map(({ verifier }) => verifier);
  const { signers } = openNote(note, verifiers);
  return { consensus: verifyConsensus(note, policy), signatures: signers.length };
}

async function describeWait(options: FirstConsensusOptions): Promise<string> {
  const { nodes, policy, timeline, clock } = options;
  const { length: authorities } = policy.authorities;
  const taken = await countWhere(options, async ({ dataDirectory }) => {
    const answers = (await readPublication(dataDirectory))?.answers ?? [];
    return answers.filter(({ verdict }) => verdict === 'taken').length === authorities;
  });
  if (taken < nodes.length) {
    return `${taken} of ${nodes.length} nodes are known to all ${authorities} authorities`;
  }
  const { publishesMs } = slotAt(clock(), timeline, authorities);
  const due = new Date(publishesMs).toISOString().slice(11, 19);
  return `the authorities vote: their consensus is due at ${due} UTC`;
}

async function countWhere(
  { nodes }: FirstConsensusOptions,
  isSo: (node: ListedNode) => Promise<boolean>,
): Promise<number> {
  const answers = await Promise.all(nodes.map(isSo));
  return answers.filter(Boolean).length;
}
