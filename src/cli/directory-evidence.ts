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
import { writeDurably } from '../io/durable-file.ts';
import { absolutePath } from './absolute-path.ts';
import { policyOption, readPolicy } from './client-options.ts';
import { readNote } from './directory-verify.ts';
import { print, printJson } from './output.ts';
import { tellRefusal } from './refusal.ts';

interface EvidenceOptions {
  readonly policy?: string;
  readonly write?: string;
  readonly json?: true;
}

export function evidenceCommand(): Command {
  return new Command('evidence')
    .description('whom two notes convict of having signed both; asks nobody')
    .argument('<file...>', 'evidence, or the two votes or consensuses themselves')
    .addOption(policyOption)
    .option('--write <file>', 'write the evidence, to show it to others', absolutePath)
    .option('--json', 'print one object')
    .action(async (files: string[], options: EvidenceOptions) => {
      const policy = await readPolicy(options.policy);
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
