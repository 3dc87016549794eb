import { type ConsensusNode, type OnionAddress } from '../directory/consensus-node.ts';
import { type HeaderChain } from '../electrum/header-chain.ts';
import {
  type HeaderSource,
  HeaderSyncError,
  type SourceFault,
  syncHeaders,
} from '../electrum/header-sync.ts';
import { type RelayLink } from '../relay/relay-link.ts';
import { LookupError, NOBODY } from './fault.ts';
import { type FaultLog } from './fault-log.ts';

/** Opens links to relays. */
export interface HeaderRelays {
  link(onion: OnionAddress, purpose: 'headers'): Promise<Pick<RelayLink, 'headers'>>;
}

export interface RelayHeadersOptions {
  readonly chain: HeaderChain;
  readonly pool: HeaderRelays;
  readonly faults: FaultLog;
  readonly signal: AbortSignal;
  readonly onProgress: () => void;
  /** How long a relay may take for 2016 headers. */
  readonly timeoutMs?: number;
}

/** With one source, its silence about newer blocks would go unnoticed. */
const SOURCES_NEEDED = 2;
const TIMEOUT_MS = 15_000;

/**
 * Brings the chain up to date from all the relays, each of which is noted when it is at fault.
 * @throws LookupError `headers-unavailable` when fewer than two are without fault.
 */
export async function syncFromRelays(
  relays: readonly ConsensusNode[],
  { pool, faults, ...options }: RelayHeadersOptions,
): Promise<void> {
  const sources = relays.map(({ nodeId, onion }): HeaderSource => ({
    name: nodeId,
    async headers(start, count, options) {
      const link = await pool.link(onion, 'headers');
      return link.headers(start, count, options);
    },
  }));
  const found = await faultsOf(sources, options);
  for (const { source, kind, reason } of found) {
    const message = `Relay ${source} ${WHAT[kind]}: ${reason}.`;
    faults.add(
      new LookupError('headers-refused', message, { culprit: { role: 'relay', nodeId: source } }),
    );
  }
  if (relays.length - found.length < SOURCES_NEEDED) {
    const message = `Fewer than ${SOURCES_NEEDED} of ${relays.length} relays gave block headers.`;
    throw new LookupError('headers-unavailable', message, { culprit: NOBODY });
  }
}

const WHAT: Readonly<Record<SourceFault['kind'], string>> = {
  lies: 'sent block headers that are not valid',
  stalls: 'did not send block headers in time',
  fails: 'sent no block headers',
};

async function faultsOf(
  sources: readonly HeaderSource[],
  options: Omit<RelayHeadersOptions, 'pool' | 'faults'>,
): Promise<readonly SourceFault[]> {
  try {
    return await syncHeaders({ sources, timeoutMs: TIMEOUT_MS, ...options });
  } catch (error) {
    if (error instanceof HeaderSyncError) return error.faults;
    throw error;
  }
}
