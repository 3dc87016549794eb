import { fromUtf8, MalformedBytesError } from '../base/bytes.ts';
import { type Clock } from '../base/clock.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import { MAX_BOND_FILE_BYTES, parseBondFile } from '../bond/bond-file.ts';
import { CheckedBonds } from '../bond/checked-bonds.ts';
import { type BondChain, type BondClaim, LISTED_RULES } from '../bond/verify-bond.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode, type OnionAddress } from '../directory/consensus-node.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { DIRECTORY_KINDS, nodeDigest } from '../directory/directory-view.ts';
import { type NodeId } from '../directory/node-id.ts';
import { type RelayLink } from '../relay/relay-link.ts';
import { LookupError, NOBODY } from './fault.ts';
import { type FaultLog } from './fault-log.ts';
import { judgeConsensus } from './judged-consensus.ts';
import { type Purpose } from './relay-pool.ts';

/** Opens links to relays. */
export interface BondRelays {
  link(onion: OnionAddress, purpose: Purpose): Promise<Pick<RelayLink, 'directory'>>;
}

export interface BondChecksOptions {
  readonly pool: BondRelays;
  /** As this client itself has verified it, as far as it has come. */
  readonly chain: BondChain;
  /** Resolves when the chain has been brought up to date once. */
  readonly reached: (signal: AbortSignal) => Promise<unknown>;
  readonly faults: FaultLog;
  readonly clock: Clock;
}

/** A node that may be chosen, and the relays that learn nothing when they are asked for its bond. */
export interface Newcomer {
  readonly node: ConsensusNode;
  /** In the order to ask them: not empty. */
  readonly relays: readonly ConsensusNode[];
}

export interface Choice<T> {
  readonly newcomers: (judged: Consensus) => readonly Newcomer[];
  readonly choose: (judged: Consensus) => T;
}

export interface Checking {
  readonly consensus: Consensus;
  /** That of the cells that will follow, so that they take the same link. */
  readonly purpose: Purpose;
  readonly signal: AbortSignal;
}

/** Whose bond was not proved is asked for again after so long. */
const AGAIN_MS = 600_000;
/** Until a relay is passed over. */
const ANSWER_MS = 20_000;

/**
 * Whether those whom a consensus gives the weight of a bond have one. It is looked at when a node would
 * be chosen and never again while the bond holds, so that no lookup waits for it twice.
 */
export class BondChecks implements AsyncDisposable {
  readonly #options: BondChecksOptions;
  readonly #checked: CheckedBonds;
  readonly #claims = new Map<NodeId, BondClaim>();
  readonly #unprovedUntil = new Map<NodeId, number>();
  readonly #settling = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  #judged:
    { readonly of: Consensus; readonly unproved: string; readonly as: Consensus } | undefined;

  constructor(options: BondChecksOptions) {
    this.#options = options;
    this.#checked = new CheckedBonds(options.chain, LISTED_RULES);
  }

  /** The consensus, in which nothing speaks for a node whose bond was not proved. */
  judge(consensus: Consensus): Consensus {
    if (this.#judged?.of !== consensus) this.#forget(consensus);
    const unproved = [...this.#unprovedUntil.keys()].filter((nodeId) => this.#isUnproved(nodeId));
    const key = unproved.join();
    if (this.#judged?.of !== consensus || this.#judged.unproved !== key) {
      this.#judged = {
        of: consensus,
        unproved: key,
        as: judgeConsensus(consensus, new Set(unproved)),
      };
    }
    return this.#judged.as;
  }

  /**
   * What `choose` makes of the consensus once each of the newcomers has the bond that it weighs by, or
   * needs none. Those that have not are left out, and others come in their place.
   * @throws LookupError `relay-unreachable`; what `newcomers` and `choose` throw; the signal's reason.
   */
  async chosen<T>({ newcomers, choose }: Choice<T>, checking: Checking): Promise<T> {
    for (;;) {
      const judged = this.judge(checking.consensus);
      const open = newcomers(judged).filter(({ node }) => this.#isOpen(node));
      if (open.length === 0) return choose(judged);
      await Promise.all(open.map((newcomer) => this.#settled(newcomer, checking)));
    }
  }

  /**
   * Whether the relay may be used: it is asked for its own bond, once.
   * @throws LookupError `relay-unreachable`; the signal's reason.
   */
  async mayUse(relay: ConsensusNode, checking: Checking): Promise<boolean> {
    if (this.#isOpen(relay)) await this.#settled({ node: relay, relays: [relay] }, checking);
    return !this.#isUnproved(relay.nodeId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#settling.values());
  }

  /** Of those who have no bond any more. */
  #forget(consensus: Consensus): void {
    for (const held of [this.#claims, this.#unprovedUntil]) {
      for (const nodeId of held.keys()) {
        if (consensus.node(nodeId)?.flags.has('Bonded') !== true) held.delete(nodeId);
      }
    }
  }

  #isUnproved(nodeId: NodeId): boolean {
    return (this.#unprovedUntil.get(nodeId) ?? 0) > this.#options.clock();
  }

  /** Whether it is still to be found out. */
  #isOpen(node: ConsensusNode): boolean {
    if (!node.flags.has('Bonded') || this.#isUnproved(node.nodeId)) return false;
    const claim = this.#claims.get(node.nodeId);
    return claim === undefined || this.#refusalOf(claim, node) !== undefined;
  }

  /**
   * Whoever waits for the same waits for one run, which goes on when one of them gives up. A relay that
   * is asked for its own bond waits for no other, so that no two runs wait for each other.
   */
  #settled(newcomer: Newcomer, { consensus, purpose, signal }: Checking): Promise<void> {
    const { node, relays } = newcomer;
    const key = relays[0]?.nodeId === node.nodeId ? `${node.nodeId} itself` : node.nodeId;
    const running = this.#settling.get(key);
    if (running !== undefined) return unlessAborted(running, signal);
    const run = this.#settle(newcomer, { consensus, purpose, signal: this.#closing.signal });
    const ended = run.finally(() => this.#settling.delete(key));
    this.#settling.set(key, ended);
    return unlessAborted(ended, signal);
  }

  async #settle({ node, relays }: Newcomer, checking: Checking): Promise<void> {
    const { nodeId } = node;
    let why: string | undefined;
    let failure: unknown;
    for (const relay of relays) {
      let file: Uint8Array;
      try {
        if (relay.nodeId !== nodeId && !(await this.mayUse(relay, checking))) continue;
        file = await this.#fetch(nodeId, relay, checking);
      } catch (error) {
        checking.signal.throwIfAborted();
        failure = error;
        continue;
      }
      const claim = claimIn(file, nodeId);
      const refusal = claim && (await this.#checkedNow(claim, node, checking.signal));
      if (claim !== undefined && refusal === undefined) {
        this.#claims.set(nodeId, claim);
        return;
      }
      why = refusal ?? why ?? 'nobody who was asked shows it';
    }
    if (why === undefined) {
      // None of the relays may be used: there will be others next time.
      if (failure === undefined) return;
      throw unreachable(nodeId, failure);
    }
    this.#unprovedUntil.set(nodeId, this.#options.clock() + AGAIN_MS);
    this.#options.faults.add(unproved(node, checking.consensus, why));
  }

  async #fetch(
    nodeId: NodeId,
    { onion }: ConsensusNode,
    { purpose, signal }: Checking,
  ): Promise<Uint8Array> {
    const link = await unlessAborted(this.#options.pool.link(onion, purpose), signal);
    return link.directory(DIRECTORY_KINDS.bond, nodeDigest(nodeId), {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      maxBytes: MAX_BOND_FILE_BYTES,
    });
  }

  /** A bond that fails by the headers held may hold by those that are still to come. */
  async #checkedNow(
    claim: BondClaim,
    node: ConsensusNode,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const refusal = this.#refusalOf(claim, node);
    if (refusal === undefined) return undefined;
    await this.#options.reached(signal);
    return this.#refusalOf(claim, node);
  }

  #refusalOf(claim: BondClaim, node: ConsensusNode): string | undefined {
    try {
      this.#checked.verify(claim);
    } catch (error) {
      if (error instanceof DirectoryError) return error.message;
      throw error;
    }
    const { sats, txid, vout } = claim.bond;
    if (sats < node.weight) return `its bond has only ${sats} satoshis`;
    const twin = [...this.#claims.values()].find(
      ({ nodeId, bond }) => nodeId !== node.nodeId && bond.txid === txid && bond.vout === vout,
    );
    return twin && `node ${twin.nodeId} has the same bond`;
  }
}

/** Undefined for what cannot be the bond of the node. */
function claimIn(file: Uint8Array, nodeId: NodeId): BondClaim | undefined {
  try {
    const claim = parseBondFile(fromUtf8(file));
    return claim.nodeId === nodeId ? claim : undefined;
  } catch (error) {
    if (error instanceof DirectoryError || error instanceof MalformedBytesError) return undefined;
    throw error;
  }
}

function unreachable(nodeId: NodeId, cause: unknown): LookupError {
  const message = `None of the relays that could tell of the bond of node ${nodeId} can be reached.`;
  return new LookupError('relay-unreachable', message, { culprit: NOBODY, cause });
}

function unproved(node: ConsensusNode, { epoch }: Consensus, why: string): LookupError {
  const message =
    `The consensus of epoch ${epoch} gives node ${node.nodeId} the weight of a bond, ` +
    `which is not proved: ${why}. The node is not chosen.`;
  return new LookupError('bond-unproved', message, { culprit: AUTHORITIES });
}

const AUTHORITIES = { role: 'authorities', nodeId: undefined } as const;
