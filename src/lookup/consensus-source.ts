import { type Consensus } from '../directory/consensus.ts';
import { LookupError, NOBODY } from './fault.ts';

/** Where the client has its consensus from. */
export interface ConsensusSource {
  /** The newest that was accepted and is not out of date. */
  current(): Consensus | undefined;
  /** Fetches a newer one, if there is one. Rejects when none can be had. */
  refresh(options: { readonly signal: AbortSignal }): Promise<Consensus>;
}

/** @throws LookupError `no-consensus` */
export function currentConsensus(source: ConsensusSource): Consensus {
  const consensus = source.current();
  if (consensus !== undefined) return consensus;
  const message = 'There is no valid consensus: no list of nodes to choose from.';
  throw new LookupError('no-consensus', message, { culprit: NOBODY });
}
