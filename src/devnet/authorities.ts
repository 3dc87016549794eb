import { type Running, Scope } from '../base/lifecycle.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import type { Policy } from '../directory/policy.ts';
import type { Reaper } from '../io/reaper.ts';
import type { EpochPlan } from './authority.ts';
import { startAuthorityProcess } from './authority-child.ts';
import { combineNotes } from '../directory/combine-notes.ts';

export interface AuthoritiesOptions {
  readonly count: number;
  /** Where each keeps its key and what it signed, in a directory of its own. */
  readonly directory: string;
  readonly network: string;
  /** Aborts the start only. */
  readonly signal: AbortSignal;
  readonly reaper?: Reaper | undefined;
}

/** Processes that sign consensuses together. Some may end; the rest goes on while it is a quorum. */
export interface Authorities extends Running {
  /** Who they are; no relays to start from. */
  readonly policy: Policy;
  /** The process ids, in the order of the policy. */
  readonly pids: readonly number[];
  /**
   * A note of the consensus, signed by all who answered with the same text.
   * @throws DirectoryError `too-few-signatures` when those are no quorum.
   */
  sign(descriptors: readonly string[], plan: EpochPlan): Promise<string>;
}

export async function startAuthorities(options: AuthoritiesOptions): Promise<Authorities> {
  await using starting = new Scope();
  const processes = await starting.useAll(
    Array.from({ length: options.count }, (_, index) =>
      startAuthorityProcess({ ...options, name: `authority-${index + 1}` }),
    ),
  );
  const policy: Policy = {
    network: options.network,
    authorities: processes.map(({ authority }) => authority),
    groups: [],
    bootstrap: [],
  };
  const started = starting.move();
  return {
    policy,
    pids: processes.map(({ pid }) => pid),
    failed: majorityLost(processes),
    async sign(descriptors, plan) {
      const answers = await Promise.all(processes.map((each) => each.ask(descriptors, plan)));
      const notes = answers.flatMap((answer) => ('note' in answer ? [answer.note] : []));
      const reasons = answers.flatMap((answer) => ('refused' in answer ? [answer.refused] : []));
      const note = combineNotes(notes, policy);
      if (note !== undefined) return note;
      const why = reasons.length > 0 ? reasons.join('; ') : 'their texts differ';
      throw new DirectoryError('too-few-signatures', `the authorities do not agree: ${why}`);
    },
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

/** Rejects once too many have ended for the rest to be a majority. */
function majorityLost(processes: readonly Running[]): Promise<never> {
  const failed = new Promise<never>((_, reject) => {
    let left = processes.length;
    for (const each of processes) {
      each.failed.catch((cause: unknown) => {
        left -= 1;
        if (left <= processes.length / 2)
          reject(new Error('too few authorities are left', { cause }));
      });
    }
  });
  failed.catch(() => undefined);
  return failed;
}
