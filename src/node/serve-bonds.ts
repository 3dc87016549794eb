import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Consensus } from '../directory/consensus.ts';
import type { DirectorySource } from '../directory/directory-client.ts';
import { DIRECTORY_KINDS, nodeOf } from '../directory/directory-view.ts';
import type { NodeId } from '../directory/node-id.ts';
import { KeptBonds } from './kept-bonds.ts';
import type { NodeDirectory } from './node-directory.ts';

export interface ServeBondsOptions {
  readonly dataDirectory: string;
  readonly nodeId: NodeId;
  /** The file of the node's own bond. */
  readonly own: Uint8Array | undefined;
  /** Whom to ask, in this order. */
  readonly sources: (consensus: Consensus) => readonly DirectorySource[];
  readonly log: Logger;
}

const LOOK_MS = 1_000;
/** Until what nobody had is asked for again. */
const AGAIN_MS = 60_000;

/**
 * The directory, with the files of bonds beside it: the node's own, and those of the gateways that the
 * newest consensus lists with one.
 */
export async function serveBonds(
  directory: NodeDirectory,
  { dataDirectory, nodeId, own, sources, log }: ServeBondsOptions,
): Promise<NodeDirectory> {
  const kept = await KeptBonds.open(join(dataDirectory, 'bonds'));
  const stop = new AbortController();
  const { signal } = stop;
  const wait = (ms: number): Promise<void> =>
    sleep(ms, undefined, { signal }).catch(() => undefined);

  async function follow(): Promise<void> {
    let complete: Consensus | undefined;
    while (!signal.aborted) {
      await wait(LOOK_MS);
      const consensus = directory.current();
      if (consensus === undefined || consensus === complete) continue;
      try {
        if (await kept.follow(consensus, sources(consensus), signal)) complete = consensus;
        else await wait(AGAIN_MS);
      } catch (error) {
        log.error('the bonds of gateways cannot be kept', { reason: messageOf(error) });
        await wait(AGAIN_MS);
      }
    }
  }

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
