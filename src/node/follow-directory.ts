import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { ChangeCache } from '../directory/change-cache.ts';
import type { Consensus } from '../directory/consensus.ts';
import {
  type DirectoryClient,
  type DirectorySource,
  openDirectoryClient,
} from '../directory/directory-client.ts';
import { DIRECTORY_KINDS } from '../directory/directory-view.ts';
import { logDocument } from '../directory/log-documents.ts';
import type { Policy } from '../directory/policy.ts';
import { policyFor } from '../directory/policy-link.ts';
import { openKeptConsensuses } from './kept-consensuses.ts';
import type { NodeDirectory } from './node-directory.ts';
import { openNodeLog } from './node-log.ts';

export interface FollowDirectoryOptions {
  readonly dataDirectory: string;
  readonly policy: Policy;
  /** Whom to ask, in this order, given the newest consensus, even one that has expired. */
  readonly sources: (consensus: Consensus | undefined) => readonly DirectorySource[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Until somebody is asked first. */
  readonly startMs?: number;
}

const START_MS = 500;
/** Before the first one, which may be made at any moment, each wait is a quarter longer than the last. */
const [FIRST_WAIT_MS, LONGEST_WAIT_MS, LONGER] = [1000, 300_000, 1.25];
/** A slot may be skipped: the wait is doubled until it is an eighth of what a consensus is fresh for. */
const [FIRST_PART, LONGEST_PART] = [1 / 72, 1 / 8];
/** The wall clock may be set while we wait. */
const LONGEST_SLEEP_MS = 600_000;

/**
 * The directory of a node that fetches it by itself: each consensus as soon as there should be a newer
 * one, because clients have theirs from nodes. Offline it goes on with the newest one until that expires.
 */
export async function followDirectory(options: FollowDirectoryOptions): Promise<NodeDirectory> {
  const { dataDirectory, policy, clock, log } = options;
  const directory = join(dataDirectory, 'consensuses');
  const kept = await openKeptConsensuses({ directory, policy, log });
  const changes = new ChangeCache((hash) => kept.noteOf(hash));
  const nodeLog = await openNodeLog({ dataDirectory, policy, noteOf: (hash) => kept.noteOf(hash) });
  const client = await openDirectoryClient({
    path: join(dataDirectory, 'consensus'),
    policy,
    clock,
    log,
    evidence: nodeLog.evidence,
    onAccepted: (chain) => kept.keep(chain),
  });
  const stop = new AbortController();
  const following = follow(client, options, stop.signal);
  const descriptors = new Map<string, Uint8Array>();
  return {
    current: () => client.current(),
    consensuses: () => kept.newest,
    noteOf: (kind, digest) => {
      switch (kind) {
        case DIRECTORY_KINDS.latestConsensus: {
          const current = client.current();
          return current && kept.noteOf(current.hash);
        }
        case DIRECTORY_KINDS.consensus:
          return kept.noteOf(digest);
        case DIRECTORY_KINDS.change: {
          const current = client.current();
          return current && changes.between(digest, current.hash);
        }
        case DIRECTORY_KINDS.policy:
          return policyFor(digest, policy);
        case DIRECTORY_KINDS.descriptor:
          return descriptors.get(toHex(digest));
        default:
          return logDocument(kind, digest, nodeLog);
      }
    },
    nodeLog,
    addDescriptor: (digest, note) => {
      descriptors.set(toHex(digest), note);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
      await nodeLog[Symbol.asyncDispose]();
    },
  };
}

async function follow(
  client: DirectoryClient,
  { sources, clock, log, startMs = START_MS }: FollowDirectoryOptions,
  signal: AbortSignal,
): Promise<void> {
  const wait = (ms: number): Promise<void> =>
    sleep(Math.min(ms, LONGEST_SLEEP_MS), undefined, { signal }).catch(() => undefined);
  let complaint = '';
  const complain = (error: unknown): void => {
    const reason = messageOf(error);
    if (signal.aborted || reason === complaint) return;
    complaint = reason;
    log.warn('no consensus that can be used', { reason });
  };
  let attempts = 0;
  await wait(startMs);
  while (!signal.aborted) {
    const held = client.current();
    if (held !== undefined && !client.isStale()) {
      attempts = 0;
      await wait(Math.max(held.freshUntil * 1000 - clock(), 0));
      continue;
    }
    try {
      await client.refresh(sources(client.held()), signal);
      complaint = '';
    } catch (error) {
      complain(error);
    }
    // What is held can be fresh and of no use: there is evidence of a fork.
    if (client.current() === undefined || client.isStale()) {
      await wait(retryMs(held, attempts++));
    }
  }
}

/** Not all nodes ask at the same moment. */
function retryMs(held: Consensus | undefined, attempts: number): number {
  const randomly = 0.5 + Math.random() / 2;
  if (held === undefined) {
    return Math.min(FIRST_WAIT_MS * LONGER ** attempts, LONGEST_WAIT_MS) * randomly;
  }
  const freshMs = (held.freshUntil - held.validAfter) * 1000;
  return Math.min(FIRST_PART * 2 ** attempts, LONGEST_PART) * freshMs * randomly;
}
