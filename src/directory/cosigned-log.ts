import { type Logger } from '../base/log.ts';
import { renderCheckpoint } from './checkpoint.ts';
import { type Consensus, type LogHead } from './consensus.ts';
import { DirectoryError } from './directory-error.ts';
import { type DirectorySource } from './directory-source.ts';
import { DIRECTORY_KINDS, sizeDigest } from './directory-view.ts';
import { GatheredCosignatures } from './gathered-cosignatures.ts';
import { type NoteVerifier } from './note.ts';
import { type WitnessRecord } from './witness-record.ts';

type Logged = Pick<Consensus, 'log'>;

export interface CosignedOptions {
  readonly record: WitnessRecord;
  readonly source: DirectorySource;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Whether the witnesses have seen the consensus that was held until now. `chain`: those after it, oldest
 * first, whose logs have been shown to hold it. The one right after it names the log that ends with it;
 * whoever has cosigned the log that the newest one names has seen it too, and that is what a relay has
 * when the client was away for longer than the relay is there.
 * @throws DirectoryError `unwitnessed` when too few have cosigned; as `take` of GatheredCosignatures.
 */
export async function checkCosigned(
  chain: readonly Logged[],
  { record, source, log, signal }: CosignedOptions,
): Promise<void> {
  const { witnesses, percent } = record;
  const heads = [...new Set([chain.at(0), chain.at(-1)])].flatMap((each) => each?.log ?? []);
  if (heads.length === 0 || witnesses.length === 0) return;
  const cosigners = new Set<string>();
  const isMost = (): boolean => 2 * cosigners.size > witnesses.length;
  const isEnough = (): boolean => 100 * cosigners.size >= percent * witnesses.length;
  for (const head of heads) {
    if (isMost() && isEnough()) break;
    for (const cosigner of await cosignersOf(head, { witnesses, source, signal })) {
      cosigners.add(cosigner);
    }
  }
  const count = { cosigned: cosigners.size, witnesses: witnesses.length };
  if (!isEnough()) {
    const message = `only ${count.cosigned} of ${count.witnesses} witnesses have seen the consensus held`;
    throw new DirectoryError('unwitnessed', message);
  }
  if (isMost()) log.debug('the log is cosigned', count);
  else log.warn('few witnesses have cosigned the log', { relay: source.name, ...count });
}

interface Asked extends Pick<CosignedOptions, 'source' | 'signal'> {
  readonly witnesses: readonly NoteVerifier[];
}

async function cosignersOf(
  head: LogHead,
  { witnesses, source, signal }: Asked,
): Promise<readonly string[]> {
  const text = renderCheckpoint(head);
  const gathered = new GatheredCosignatures({ text, authorities: [], witnesses });
  const note = await source.fetch(DIRECTORY_KINDS.checkpoint, sizeDigest(head.size), signal);
  if (note.length > 0) gathered.take(note);
  return gathered.cosigners;
}
