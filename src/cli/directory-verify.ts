import { Command, InvalidArgumentError } from 'commander';
import { toBase64 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { acceptConsensus, verifyConsensus } from '../directory/accept-consensus.ts';
import type { Consensus, LogHead } from '../directory/consensus.ts';
import { type ConsensusDescription, describeConsensus } from '../directory/describe-consensus.ts';
import { openNote } from '../directory/note.ts';
import type { Policy } from '../directory/policy.ts';
import { readIfPresent } from '../io/durable-file.ts';
import { policyOption, readPolicy } from './client-options.ts';
import { print, printJson } from './output.ts';
import { tellRefusal } from './refusal.ts';

interface VerifyOptions {
  readonly policy?: string;
  readonly previous?: string;
  readonly at?: number;
  readonly json?: true;
}

export function verifyFileCommand(): Command {
  return new Command('verify')
    .description('check a consensus in a file against a policy; asks nobody')
    .argument('<file>', 'consensus note')
    .addOption(policyOption)
    .option('--previous <file>', 'the consensus that it must follow')
    .option('--at <time>', 'judge as of then, as 2026-11-22T12:00:00Z (default: now)', timeArgument)
    .option('--json', 'print one object')
    .action(async (file: string, options: VerifyOptions) => {
      const policy = await readPolicy(options.policy);
      const note = await readNote(file);
      const before = options.previous === undefined ? undefined : await readNote(options.previous);
      await tellRefusal(options, () => {
        const previous = before && verifyConsensus(before, policy);
        const now = options.at ?? Date.now();
        const consensus = acceptConsensus({ note, policy, now, previous });
        const signers = signersOf(note, policy);
        const described = describeConsensus(consensus, now);
        if (options.json) printJson({ ok: true, ...described, signers, log: logOf(consensus) });
        else show(described, { consensus, signers, authorities: policy.authorities.length });
      });
    });
}

/** @throws UserError when there is none. */
export async function readNote(path: string): Promise<Uint8Array> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) throw new UserError(`there is no file ${path}`);
  return bytes;
}

interface Shown {
  readonly consensus: Consensus;
  readonly signers: readonly string[];
  readonly authorities: number;
}

function show(described: ConsensusDescription, { consensus, signers, authorities }: Shown): void {
  const { network, epoch, state, hash, validAfter, validUntil, nodes } = described;
  print(`consensus ${epoch} of ${network}, ${state}`);
  print(`hash      ${hash}`);
  print(`valid     ${validAfter} to ${validUntil}`);
  print(`signed    by ${signers.length} of ${authorities}: ${signers.join(', ')}`);
  print(`nodes     ${nodes.length}`);
  const { log } = consensus;
  if (log)
    print(`log       ${log.origin}, ${log.size} before this one, root ${toBase64(log.root)}`);
}

/** By the names that the policy gives them. */
function signersOf(note: Uint8Array, { authorities }: Policy): readonly string[] {
  const verifiers = authorities.map(({ verifier }) => verifier);
  const { signers } = openNote(note, verifiers);
  return authorities.filter(({ verifier }) => signers.includes(verifier)).map(({ name }) => name);
}

function logOf({ log }: Consensus): (Omit<LogHead, 'root'> & { root: string }) | undefined {
  return log && { ...log, root: toBase64(log.root) };
}

/** Milliseconds since the Unix epoch. @throws InvalidArgumentError */
function timeArgument(text: string): number {
  const time = Date.parse(text);
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) && !Number.isNaN(time)) return time;
  throw new InvalidArgumentError('It is a time such as 2026-11-22T12:00:00Z.');
}
