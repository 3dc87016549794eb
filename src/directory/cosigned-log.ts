import { type Logger } from '../base/log.ts';
import { renderCheckpoint } from './checkpoint.ts';
import { type Consensus } from './consensus.ts';
import { DirectoryError } from './directory-error.ts';
import { type DirectorySource } from './directory-source.ts';
import { DIRECTORY_KINDS, sizeDigest } from './directory-view.ts';
import { GatheredCosignatures } from './gathered-cosignatures.ts';
import { type WitnessRecord } from './witness-record.ts';

export interface CosignedOptions {
  readonly record: WitnessRecord;
  readonly source: DirectorySource;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Whether the witnesses have seen the consensus that was held until now: the one after it, `next`, names
 * the log that ends with it.
 * @throws DirectoryError `unwitnessed` when too few have cosigned that log; as `take` of
 * GatheredCosignatures.
 */
export async function checkCosigned(
  next: Pick<Consensus, 'log'>,
  { record, source, log, signal }: CosignedOptions,
): Promise<void> {
  const { witnesses, percent } = record;
  const head = next.log;
  if (head === undefined || witnesses.length === 0) return;
  const gathered = new GatheredCosignatures({
    text: renderCheckpoint(head),
    authorities: [],
    witnesses,
  });
  const note = await source.fetch(DIRECTORY_KINDS.checkpoint, sizeDigest(head.size), signal);
  if (note.length > 0) gathered.take(note);
  const count = { cosigned: gathered.cosigned, witnesses: witnesses.length };
  if (100 * count.cosigned < percent * count.witnesses) {
    const message = `only ${count.cosigned} of ${count.witnesses} witnesses have seen the consensus held`;
    throw new DirectoryError('unwitnessed', message);
  }
  if (2 * count.cosigned > count.witnesses) log.debug('the log is cosigned', count);
  else log.warn('few witnesses have cosigned the log', { relay: source.name, ...count });
}
