import { randomBytes } from 'node:crypto';
import { fromHex } from '../base/bytes.ts';
import { type Clock } from '../base/clock.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { type NodeId } from '../directory/node-id.ts';
import { type Ways } from './ask.ts';
import {
  type Binding,
  bindGateway,
  bindRelays,
  broadcastOrder,
  candidates,
  type Chooser,
  ranked,
  routesTo,
  sparedGateways,
  usableRelays,
} from './assignment.ts';
import { type Newcomer } from './bond-checks.ts';
import { type Choices, type ClientState } from './client-state.ts';
import { type ExposureOptions, exposureOf } from './exposure.ts';
import { LookupError, NOBODY } from './fault.ts';
import { type Exposure } from './lookup.ts';

/** The choices of one wallet: made by the rules of `assignment.ts`, and kept. */
export class StickyChoices {
  readonly #state: ClientState;
  readonly #clock: Clock;
  #saved: Promise<void> = Promise.resolve();
  /** By `broadcastOrder`, of the consensus beside it: in a large one it takes many hashes. */
  #order:
    { readonly consensus: Consensus; readonly gateways: readonly ConsensusNode[] } | undefined;

  constructor(state: ClientState, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  /** Resolves when all that was chosen so far survives a power cut. */
  get saved(): Promise<void> {
    return this.#saved;
  }

  /** Who was asked about how many addresses. `clientsOf`: what is known of a relay's crowd. */
  exposure(options: Omit<ExposureOptions, 'state'>): Exposure {
    return exposureOf({ state: this.#state, ...options });
  }

  /**
   * The gateway that `waysFor` would bind the address to, unless it is bound to it. Its bond is asked
   * for where the question will go, so that nobody learns of the choice who would not.
   */
  newGateway(scriptHash: string, consensus: Consensus): readonly Newcomer[] {
    const relays = this.relays(consensus);
    const { secret, choices } = this.#state;
    const held = choices.gateways.get(scriptHash);
    const { nodeId } = bindGateway(this.#chooser(consensus), scriptHash, held);
    if (nodeId === held?.nodeId) return [];
    const node = listedGateway(nodeId, consensus);
    return [{ node, relays: routesTo(node, { secret, subject: fromHex(scriptHash), relays }) }];
  }

  /** The relays of the wallet. @throws LookupError `too-few-relays` */
  relays(consensus: Consensus): readonly ConsensusNode[] {
    const { secret, choices } = this.#state;
    const relays = bindRelays({ secret, consensus, now: this.#clock() }, choices.relays);
    if (relays.some((relay, index) => differs(relay, choices.relays[index]))) {
      this.#save({ ...choices, relays });
    }
    return usableRelays(consensus, relays);
  }

  /** @throws LookupError `no-gateway`, `gateway-not-listed`, `too-few-relays`, `no-route` */
  waysFor(scriptHash: string, consensus: Consensus): Ways {
    const relays = this.relays(consensus);
    const { secret, choices } = this.#state;
    const held = choices.gateways.get(scriptHash);
    const binding = bindGateway(this.#chooser(consensus), scriptHash, held);
    if (differs(binding, held)) {
      this.#save({ ...choices, gateways: new Map(choices.gateways).set(scriptHash, binding) });
    }
    const gateway = listedGateway(binding.nodeId, consensus);
    return { gateway, relays: routesTo(gateway, { secret, subject: fromHex(scriptHash), relays }) };
  }

  /**
   * Ways to the gateway of a transaction, found as that of an address is. It is asked about seldom more
   * than once, and so not kept.
   * @throws as `waysFor`
   */
  waysForTransaction(txid: string, consensus: Consensus): Ways {
    const relays = this.relays(consensus);
    const { secret } = this.#state;
    const { nodeId } = bindGateway(this.#chooser(consensus), txid, undefined);
    const gateway = listedGateway(nodeId, consensus);
    return { gateway, relays: routesTo(gateway, { secret, subject: fromHex(txid), relays }) };
  }

  /**
   * Ways to a gateway in an order of its own, for what has nothing to do with an address.
   * @throws LookupError `bond-unproved` when nothing speaks for the gateway; as `waysFor`.
   */
  waysTo(nodeId: NodeId, consensus: Consensus): Ways {
    const gateway = listedGateway(nodeId, consensus);
    if (gateway.weight === 0) throw withoutWeight(nodeId);
    const [secret, subject] = [randomBytes(32), randomBytes(32)];
    const relays = this.relays(consensus);
    return { gateway, relays: routesTo(gateway, { secret, subject, relays }) };
  }

  /** Gateways in a random order that favours weight. */
  anyGateways(consensus: Consensus): readonly NodeId[] {
    const gateways = ranked(randomBytes(32), randomBytes(32), candidates(consensus, 'Gateway'));
    return gateways.map(({ nodeId }) => nodeId);
  }

  /**
   * The gateways that hold no address of the wallet, in a random order that favours weight: they learn
   * nothing about its addresses from a transaction.
   * @throws LookupError `no-gateway` when there are fewer than two.
   */
  gatewaysWithoutAddresses(consensus: Consensus): readonly NodeId[] {
    const holders = new Set([...this.#state.choices.gateways.values()].map(({ nodeId }) => nodeId));
    const free = this.anyGateways(consensus).filter((nodeId) => !holders.has(nodeId));
    if (free.length >= 2) return free;
    throw new LookupError(
      'no-gateway',
      `Of the running gateways ${free.length} hold no address of this wallet, and it takes two to send a transaction without showing them whose it is. It was not sent. Send it through a server of your own, or wait until more gateways run.`,
      { culprit: NOBODY },
    );
  }

  #chooser(consensus: Consensus): Chooser {
    const { secret, choices } = this.#state;
    const spared = (): ReadonlySet<NodeId> =>
      sparedGateways(this.#orderIn(consensus), choices.gateways.values());
    return { secret, consensus, now: this.#clock(), spared };
  }

  #orderIn(consensus: Consensus): readonly ConsensusNode[] {
    if (this.#order?.consensus !== consensus) {
      const gateways = broadcastOrder({ secret: this.#state.secret, consensus });
      this.#order = { consensus, gateways };
    }
    return this.#order.gateways;
  }

  #save(choices: Choices): void {
    this.#saved = this.#state.save(choices);
    // Whoever waits for `saved` is told.
    this.#saved.catch(() => undefined);
  }
}

function differs(now: Binding, before: Binding | undefined): boolean {
  return (
    now.nodeId !== before?.nodeId ||
    now.since !== before.since ||
    now.missingSince !== before.missingSince
  );
}

function listedGateway(nodeId: NodeId, consensus: Consensus): ConsensusNode {
  const node = consensus.node(nodeId);
  if (node?.flags.has('Gateway') === true) return node;
  throw new LookupError(
    'gateway-not-listed',
    `The consensus does not list ${nodeId} as a gateway. Its addresses are not shown to another one before 14 days are over.`,
    { culprit: { role: 'gateway', nodeId } },
  );
}

function withoutWeight(nodeId: NodeId): LookupError {
  return new LookupError('bond-unproved', `The bond of gateway ${nodeId} is not proved.`, {
    culprit: NOBODY,
  });
}
