import { join } from 'node:path';
import { Command } from 'commander';
import { toHex, utf8 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import {
  convict,
  type Equivocation,
  type NotePair,
  parseEvidence,
  renderEvidence,
} from '../directory/equivocation.ts';
import { MAX_CONSENSUS_BYTES } from '../directory/limits.ts';
import { decodeNote, formatVerifierKey } from '../directory/note.ts';
import type { Policy } from '../directory/policy.ts';
import { readEvidence } from '../directory/read-evidence.ts';
import { writeDurably } from '../io/durable-file.ts';
import { networkOf } from '../lookup/client-directory.ts';
import { absolutePath } from './absolute-path.ts';
import { policyOption, readPolicy, stateDirectory, stateOption } from './client-options.ts';
import { readNote } from './directory-verify.ts';
import { print, printJson } from './output.ts';
import { tellRefusal } from './refusal.ts';

interface EvidenceOptions {
  readonly policy?: string;
  readonly state?: string;
  readonly in?: string;
  readonly write?: string;
  readonly json?: true;
}

export function evidenceCommand(): Command {
  return new Command('evidence')
    .description('whom two notes convict of having signed both; asks nobody')
    .argument(
      '[file...]',
      'evidence, or the two votes or consensuses themselves; none: all that is kept',
    )
    .addOption(policyOption)
    .addOption(stateOption)
    .option('--in <directory>', 'evidence of a node or an authority, not of a client', absolutePath)
    .option('--write <file>', 'write the evidence, to show it to others', absolutePath)
    .option('--json', 'print one object')
    .action(async (files: string[], options: EvidenceOptions) => {
      const policy = await readPolicy(options.policy);
      if (files.length === 0) {
        await showKept(policy, options);
        return;
      }
      const documents = await Promise.all(files.map(readNote));
      await tellRefusal(options, async () => {
        const notes = pairOf(documents);
        const found = convict(notes, policy);
        if (options.write !== undefined) {
          await writeDurably(options.write, utf8(renderEvidence(notes)));
        }
        if (options.json) printJson({ ok: true, ...describe(found) });
        else show(found);
      });
    });
}

async function showKept(policy: Policy, { state, in: path, json }: EvidenceOptions): Promise<void> {
  const directory = path ?? join(stateDirectory(state, networkOf(policy)), 'relayed', 'evidence');
  const found = await readEvidence(directory, policy);
  if (json) printJson({ ok: true, evidence: found.map(describe) });
  else if (found.length === 0) print('no evidence against the authorities of this policy');
  else found.forEach(show);
}

/** @throws UserError; DirectoryError. */
function pairOf(documents: readonly Uint8Array[]): NotePair {
  const [first, second, ...more] = documents;
  if (first === undefined || more.length > 0) {
    throw new UserError('name a file of evidence, or two files with a note each');
  }
  return second === undefined ? parseEvidence(first) : [noteOf(first), noteOf(second)];
}

function noteOf(bytes: Uint8Array): string {
  return decodeNote(bytes, MAX_CONSENSUS_BYTES);
}

function describe({ kind, epoch, digests, convicted }: Equivocation): object {
  return {
    kind,
    epoch,
    hashes: digests.map(toHex),
    convicted: convicted.map(({ name, verifier }) => ({ name, key: formatVerifierKey(verifier) })),
  };
}

function show({ kind, epoch, digests, convicted }: Equivocation): void {
  const names = convicted.map(({ name }) => name).join(', ');
  print(`two ${kind} of epoch ${epoch} are signed by ${names}`);
  for (const digest of digests) print(`hash  ${toHex(digest)}`);
}
