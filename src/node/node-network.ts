import { randomInt } from 'node:crypto';
import { fromUtf8, toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import { Scope } from '../base/lifecycle.ts';
import type { Logger } from '../base/log.ts';
import type { BondChain } from '../bond/verify-bond.ts';
import type { NodeConfig } from '../config/node-config.ts';
import type { Consensus } from '../directory/consensus.ts';
import type { Bond } from '../directory/bond-line.ts';
import type { NodeId } from '../directory/node-id.ts';
import { parsePolicy, type Policy } from '../directory/policy.ts';
import { formatAddress, type Dial } from '../io/dial.ts';
import { readIfPresent } from '../io/durable-file.ts';
import type { ReplySigner } from '../relay/node-identity.ts';
import { directoryPeer, type DirectoryPeerOptions, type LinkablePeer } from './directory-peer.ts';
import { openBond } from './open-bond.ts';
import { followDirectory } from './follow-directory.ts';
import { directoryOfOne, type NodeDirectory } from './node-directory.ts';
import { PublicationFile } from './publication-file.ts';
import { startPublisher } from './publish.ts';
import { serveBonds } from './serve-bonds.ts';
import { startWitness } from './witness.ts';

export interface NodeNetworkOptions {
  readonly config: NodeConfig;
  readonly nodeId: NodeId;
  readonly dial: Dial;
  /** As this node itself has verified it. */
  readonly chain: BondChain;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What ties a node to its network. */
export interface NodeNetwork extends AsyncDisposable {
  readonly directory: NodeDirectory;
  /** What the descriptor says of locked coins. */
  readonly bond: Bond | undefined;
  /** Has the descriptor served, and brought to the authorities. `digest` has 32 bytes. */
  publish(digest: Uint8Array, note: Uint8Array): void;
  /** Cosigns the log from now on, by the node's reply keys. */
  cosign(signer: ReplySigner): AsyncDisposable;
}

/** Relays asked for a consensus, besides the authorities and those that the policy names. */
const RELAYS_ASKED = 3;

/** @throws UserError when the policy cannot be read, or is for another network. */
export async function openNodeNetwork(options: NodeNetworkOptions): Promise<NodeNetwork> {
  const { config, chain, clock, log } = options;
  const { dataDirectory, bondFile } = config;
  await using opening = new Scope();
  const policy = await readPolicy(config);
  const held = bondFile === undefined ? undefined : await openBond(bondFile, options.nodeId);
  const authorities = policy === undefined ? [] : authoritiesOf(policy, options);
  if (policy === undefined) {
    log.info('no policy: this node is of no network yet, and takes no cells');
  } else if (authorities.length === 0) {
    log.info('the policy names the onion of no authority: nobody is told of this node');
  }
  const sources = (consensus: Consensus | undefined): readonly LinkablePeer[] =>
    policy === undefined ? [] : sourcesOf(policy, { consensus, authorities }, options);
  const followed = opening.use(
    policy === undefined
      ? directoryOfOne()
      : await followDirectory({ dataDirectory, policy, sources, clock, log }),
  );
  const { nodeId } = options;
  const directory = opening.use(
    await serveBonds(followed, { dataDirectory, nodeId, own: held?.file, chain, sources, log }),
  );
  const file = opening.use(
    new PublicationFile({
      dataDirectory,
      authorities: authorities.map(({ name }) => name),
      log,
    }),
  );
  const publisher = opening.use(
    startPublisher({
      authorities,
      clock,
      log,
      onAnswer: (answer) => {
        file.add(answer);
      },
    }),
  );
  const opened = opening.move();
  return {
    directory,
    bond: held?.bond,
    publish: (digest, note) => {
      directory.addDescriptor(digest, note);
      file.begin(toHex(digest));
      publisher.publish({ descriptor: note, bond: held?.file });
    },
    cosign: (signer) => {
      const { nodeLog } = directory;
      if (nodeLog === undefined) return { [Symbol.asyncDispose]: () => Promise.resolve() };
      return startWitness({
        ...{ nodeId, signer, directory, nodeLog, authorities, sources, clock, log },
      });
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function readPolicy({ policyFile, network }: NodeConfig): Promise<Policy | undefined> {
  if (policyFile === undefined) return undefined;
  const bytes = await readIfPresent(policyFile);
  if (bytes === undefined) throw new UserError(`there is no file ${policyFile}`);
  const policy = parsePolicy(fromUtf8(bytes));
  if (policy.network !== network) {
    throw new UserError(`the policy in ${policyFile} is for ${policy.network}, not ${network}`);
  }
  return policy;
}

interface Asked {
  readonly consensus: Consensus | undefined;
  readonly authorities: readonly LinkablePeer[];
}

/** Whom a node asks, in this order. */
function sourcesOf(
  { bootstrap }: Policy,
  { consensus, authorities }: Asked,
  options: NodeNetworkOptions,
): readonly LinkablePeer[] {
  return [
    ...shuffled(authorities),
    ...shuffled(relaysOf(consensus, options)).slice(0, RELAYS_ASKED),
    ...bootstrap.map((onion) =>
      directoryPeer({ name: formatAddress(onion), onion }, reachOf(options)),
    ),
  ];
}

function authoritiesOf({ authorities }: Policy, options: NodeNetworkOptions): LinkablePeer[] {
  return authorities.flatMap(({ name, onion }) =>
    onion === undefined ? [] : [directoryPeer({ name, onion }, reachOf(options))],
  );
}

function relaysOf(
  consensus: Consensus | undefined,
  options: NodeNetworkOptions,
): readonly LinkablePeer[] {
  const others = consensus?.nodes.filter(
    ({ nodeId, flags }) => nodeId !== options.nodeId && flags.has('Relay') && flags.has('Running'),
  );
  return (others ?? []).map(({ nodeId, onion, family }) =>
    directoryPeer({ name: nodeId, onion, family }, reachOf(options)),
  );
}

function reachOf({ config, dial, clock }: NodeNetworkOptions): DirectoryPeerOptions {
  return { dial, network: config.network, clock };
}

/** Not all nodes ask the same one first. */
function shuffled<T>(items: readonly T[]): T[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(randomInt(rest.length), 1));
}
