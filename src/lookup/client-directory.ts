import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Clock } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import { type Logger } from '../base/log.ts';
import { type Network, NETWORKS } from '../bitcoin/networks.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type OnionAddress } from '../directory/consensus-node.ts';
import { openDirectoryClient } from '../directory/directory-client.ts';
import { EvidenceFiles } from '../directory/evidence-files.ts';
import { type Policy } from '../directory/policy.ts';
import { type Dial } from '../io/dial.ts';
import { usableRelays } from './assignment.ts';
import { openClientState } from './client-state.ts';
import { NetworkConsensus } from './network-consensus.ts';
import { RelayPool } from './relay-pool.ts';
import { StickyChoices } from './sticky-choices.ts';

export interface ClientDirectoryOptions {
  readonly policy: Policy;
  /** Reaches onion addresses only. */
  readonly dial: Dial;
  /** Of one wallet: its secret, its choices, the consensus and the headers are kept here. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Whom a wallet can ask: the consensus, the choices it made from it, links to its relays. */
export interface ClientDirectory {
  readonly network: Network;
  readonly choices: StickyChoices;
  readonly consensus: NetworkConsensus;
  readonly pool: RelayPool;
}

/** A first onion connection can take most of a minute. */
const CONNECT_MS = 90_000;
/** Relays tell after 30 s that a gateway is silent. */
const ANSWER_MS = 50_000;

/** Opens what is kept and dials nobody. @throws UserError when a file is damaged. */
export async function openClientDirectory(
  options: ClientDirectoryOptions,
): Promise<ClientDirectory> {
  const { policy, dial, directory, clock, log } = options;
  const network = networkOf(policy);
  const state = await openClientState(directory);
  const choices = new StickyChoices(state, clock);
  const path = join(directory, 'consensus.note');
  const evidence = await EvidenceFiles.open(join(directory, 'evidence'), policy);
  const client = await openDirectoryClient({ path, policy, clock, log, evidence });
  const pool = new RelayPool({
    dial,
    network,
    session: randomBytes(16).toString('hex'),
    consensusHash: () => client.current()?.hash,
    clock,
    connectMs: CONNECT_MS,
    answerMs: ANSWER_MS,
  });
  // None is chosen anew for this: a consensus with too few relays must not keep a newer one from coming.
  const relays = (held: Consensus | undefined): readonly OnionAddress[] => [
    ...(held === undefined
      ? []
      : usableRelays(held, state.choices.relays).map(({ onion }) => onion)),
    ...policy.bootstrap,
  ];
  const consensus = new NetworkConsensus({ client, pool, relays, clock, log });
  return { network, choices, consensus, pool };
}

/** @throws UserError when the policy is for a network that is not Bitcoin's. */
export function networkOf({ network }: Pick<Policy, 'network'>): Network {
  const known = NETWORKS.find((name) => name === network);
  if (known === undefined) throw new UserError(`the policy is for a network "${network}"`);
  return known;
}
