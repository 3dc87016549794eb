import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/errors.ts';
import { Scope } from '../base/lifecycle.ts';
import type { Logger } from '../base/log.ts';
import { claimOfNode } from '../bond/claim-of-node.ts';
import { type BondChain, momentOf, secondsLeft } from '../bond/verify-bond.ts';
import type { Consensus } from '../directory/consensus.ts';
import { DIRECTORY_KINDS, nodeOf } from '../directory/directory-view.ts';
import type { NodeId } from '../directory/node-id.ts';
import { timeOf } from './check-bond.ts';
import type { LinkablePeer } from './directory-peer.ts';
import { KeptBonds } from './kept-bonds.ts';
import type { NodeDirectory } from './node-directory.ts';

export interface ServeBondsOptions {
  readonly dataDirectory: string;
  readonly nodeId: NodeId;
  /** The file of the node's own bond. */
  readonly own: Uint8Array | undefined;
  /** As this node itself has verified it. */
  readonly chain: BondChain;
  /** Whom to ask. */
  readonly sources: (consensus: Consensus) => readonly Pick<LinkablePeer, 'linked'>[];
  readonly log: Logger;
}

const LOOK_MS = 1_000;
/** Until what nobody had is asked for again: the wait is doubled until it is the longest. */
const [AGAIN_MS, LONGEST_MS] = [15_000, 960_000];

/**
 * The directory, with the files of bonds beside it: the node's own, and those of the gateways that the
 * newest consensus lists with one.
 */
export async function serveBonds(
  directory: NodeDirectory,
  { dataDirectory, nodeId, own, chain, sources, log }: ServeBondsOptions,
): Promise<NodeDirectory> {
  const kept = await KeptBonds.open(join(dataDirectory, 'bonds'), chain);
  const claim = own && claimOfNode(own, nodeId);
  const stop = new AbortController();
  const { signal } = stop;
  const wait = (ms: number): Promise<void> =>
    sleep(ms, undefined, { signal }).catch(() => undefined);

  let toldDays = Infinity;
  function tellOwn(): void {
    if (claim === undefined) return;
    const { daysLeft, endsSoon } = timeOf(secondsLeft(claim.bond, momentOf(chain)));
    if (!endsSoon || daysLeft === toldDays) return;
    toldDays = daysLeft;
    log.warn('the bond of this node ends soon: docs/bonds.md, step 2', { days: daysLeft });
  }

  async function isComplete(consensus: Consensus): Promise<boolean> {
    try {
      await using links = new Scope();
      const linked = sources(consensus).map((source) => links.use(source.linked()));
      return await kept.follow(consensus, linked, signal);
    } catch (error) {
      log.error('the bonds of gateways cannot be kept', { reason: messageOf(error) });
      return false;
    }
  }

  async function follow(): Promise<void> {
    let looked: Consensus | undefined;
    let isDone = false;
    let [againMs, waitedMs] = [AGAIN_MS, 0];
    while (!signal.aborted) {
      await wait(LOOK_MS);
      waitedMs += LOOK_MS;
      const consensus = directory.current();
      const isNew = consensus !== looked;
      if (consensus === undefined || (!isNew && (isDone || waitedMs < againMs))) continue;
      againMs = isNew ? AGAIN_MS : Math.min(2 * againMs, LONGEST_MS);
      looked = consensus;
      if (isNew) tellOwn();
      isDone = await isComplete(consensus);
      waitedMs = 0;
    }
  }

  tellOwn();
  const following = follow();
  return {
    ...directory,
    noteOf: (kind, digest) => {
      if (kind !== DIRECTORY_KINDS.bond) return directory.noteOf(kind, digest);
      return nodeOf(digest) === nodeId ? own : kept.fileOf(nodeOf(digest));
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
    },
  };
}
