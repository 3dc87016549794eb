import { type Clock } from '../base/clock.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import { MAX_BOND_FILE_BYTES } from '../bond/bond-file.ts';
import { CheckedBonds } from '../bond/checked-bonds.ts';
import { claimOfNode } from '../bond/claim-of-node.ts';
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
  /** Brings the chain up to date unless it was once. Rejects with `LookupError` when it cannot be. */
  readonly syncOnce: (signal: AbortSignal) => Promise<unknown>;
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
/** While relays may not have it yet. */
const SOON_MS = 60_000;
/** A claim that cannot be fetched again stands against another of the same coins for so long. */
const STANDING_MS = 86_400_000;
/** Until a relay is passed over. */
const ANSWER_MS = 20_000;

/** A bond that was proved, and how to ask for it again without telling anybody anything. */
interface ProvedBond {
  readonly claim: BondClaim;
  readonly relays: readonly ConsensusNode[];
  readonly purpose: Purpose;
  readonly at: number;
}

/** What came of asking for a bond: the claim that holds, or why there is none, or why nobody could be asked. */
type Found =
  | { readonly claim: BondClaim }
  | { readonly claim?: undefined; readonly why?: string; readonly failure?: unknown };

/**
 * Whether those whom a consensus gives the weight of a bond have one. It is looked at when a node would
 * be chosen and never again while the bond holds, so that no lookup waits for it twice.
 */
export class BondChecks implements AsyncDisposable {
  readonly #options: BondChecksOptions;
  readonly #checked: CheckedBonds;
  readonly #proved = new Map<NodeId, ProvedBond>();
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
   * @throws LookupError `relay-unreachable`; what `newcomers`, `choose` and `syncOnce` throw; the
   * signal's reason.
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
   * @throws LookupError `relay-unreachable`; what `syncOnce` throws; the signal's reason.
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
    for (const held of [this.#proved, this.#unprovedUntil]) {
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
    const proved = this.#proved.get(node.nodeId);
    return proved === undefined || !this.#isOf(node, proved.claim);
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
    const mayUse = (relay: ConsensusNode): boolean | Promise<boolean> =>
      relay.nodeId === node.nodeId || this.mayUse(relay, checking);
    const found = await this.#find({ node, relays }, { ...checking, mayUse });
    if (found.claim === undefined) {
      if (found.why !== undefined) this.#leaveOut(node, checking.consensus, found.why);
      // Where none of the relays may be used there will be others next time.
      else if (found.failure !== undefined) throw unreachable(node.nodeId, found.failure);
      return;
    }
    const { claim } = found;
    for (const twin of this.#twinsOf(claim)) {
      if (!(await this.#stands(twin, checking))) continue;
      this.#leaveOut(node, checking.consensus, `node ${twin.nodeId} has the same bond`);
      return;
    }
    this.#keep({ claim, relays, purpose: checking.purpose });
  }

  /** Asks one relay after the other; one that shows a false bond is told. */
  async #find({ node, relays }: Newcomer, { mayUse, ...checking }: Finding): Promise<Found> {
    const { nodeId } = node;
    let why: string | undefined;
    let failure: unknown;
    for (const relay of relays) {
      let file: Uint8Array;
      try {
        if (!(await mayUse(relay))) continue;
        file = await this.#fetch(nodeId, relay, checking);
      } catch (error) {
        checking.signal.throwIfAborted();
        if (isNoFaultOfRelay(error)) throw error;
        failure = error;
        continue;
      }
      why ??= 'nobody who was asked shows it';
      if (file.length === 0) continue;
      const claim = claimOfNode(file, nodeId);
      const refusal =
        claim === undefined ? 'it is malformed' : await this.#refusedNow(claim, checking.signal);
      if (refusal !== undefined) {
        why = refusal;
        this.#options.faults.add(falseBond({ node, relay, why }, checking.consensus));
      } else if (claim !== undefined) {
        if (claim.bond.sats >= node.weight) return { claim };
        why = `its bond has only ${claim.bond.sats} satoshis`;
      }
    }
    return { ...(why !== undefined && { why }), failure };
  }

  /**
   * Until it is asked for again. That nobody shows a bond, or another than the consensus counts, passes while
   * the consensus is new: relays fetch what is in it. Later somebody is at fault, and nobody can say who.
   */
  #leaveOut(node: ConsensusNode, consensus: Consensus, why: string): void {
    const now = this.#options.clock();
    const isNew = now < 500 * (consensus.validAfter + consensus.freshUntil);
    this.#unprovedUntil.set(node.nodeId, now + (isNew ? SOON_MS : AGAIN_MS));
    if (!isNew) this.#options.faults.add(unproved(node, consensus, why));
  }

  #keep(proved: Omit<ProvedBond, 'at'>): void {
    this.#proved.set(proved.claim.nodeId, { ...proved, at: this.#options.clock() });
  }

  #twinsOf({ nodeId, bond: { txid, vout } }: BondClaim): readonly BondClaim[] {
    return [...this.#proved.values()]
      .map(({ claim }) => claim)
      .filter(({ bond }) => bond.txid === txid && bond.vout === vout)
      .filter((claim) => claim.nodeId !== nodeId);
  }

  /**
   * Whether the node of a claim still has these coins: they may have moved since it was proved. Those are
   * asked who were, and who may be used without asking for another bond: no two runs wait for each other.
   */
  async #stands({ nodeId, bond }: BondClaim, { consensus, signal }: Checking): Promise<boolean> {
    const proved = this.#proved.get(nodeId);
    const node = consensus.node(nodeId);
    if (proved === undefined || node === undefined) return false;
    const age = this.#options.clock() - proved.at;
    if (age < SOON_MS) return true;
    const { relays, purpose } = proved;
    const mayUse = (relay: ConsensusNode): boolean => !this.#isUnproved(relay.nodeId);
    const { claim } = await this.#find({ node, relays }, { consensus, purpose, signal, mayUse });
    if (claim !== undefined) this.#keep({ claim, relays, purpose });
    else if (age >= STANDING_MS) this.#proved.delete(nodeId);
    const now = this.#proved.get(nodeId)?.claim.bond;
    return now?.txid === bond.txid && now.vout === bond.vout;
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
  async #refusedNow(claim: BondClaim, signal: AbortSignal): Promise<string | undefined> {
    if (this.#refusalOf(claim) === undefined) return undefined;
    await this.#options.syncOnce(signal);
    return this.#refusalOf(claim);
  }

  #isOf(node: ConsensusNode, claim: BondClaim): boolean {
    return claim.bond.sats >= node.weight && this.#refusalOf(claim) === undefined;
  }

  #refusalOf(claim: BondClaim): string | undefined {
    try {
      this.#checked.verify(claim);
      return undefined;
    } catch (error) {
      if (error instanceof DirectoryError) return error.message;
      throw error;
    }
  }
}

interface Finding extends Checking {
  /** @throws LookupError; the signal's reason. */
  readonly mayUse: (relay: ConsensusNode) => boolean | Promise<boolean>;
}

/** Of what `BondChecks` throws: another relay would not help where there are no headers to judge by. */
export function isNoFaultOfRelay(error: unknown): error is LookupError {
  return error instanceof LookupError && error.code !== 'relay-unreachable';
}

function unreachable(nodeId: NodeId, cause: unknown): LookupError {
  const message = `None of the relays that could tell of the bond of node ${nodeId} can be reached.`;
  return new LookupError('relay-unreachable', message, { culprit: NOBODY, cause });
}

function unproved(node: ConsensusNode, { epoch }: Consensus, why: string): LookupError {
  const message =
    `The consensus of epoch ${epoch} gives node ${node.nodeId} the weight of a bond, ` +
    `which is not proved: ${why}. The node is not chosen.`;
  return new LookupError('bond-unproved', message, { culprit: NOBODY });
}

interface FalseBond {
  readonly node: ConsensusNode;
  readonly relay: ConsensusNode;
  readonly why: string;
}

/** Relays show only what they have verified. Anybody can make such a file: it says nothing of the authorities. */
function falseBond({ node, relay, why }: FalseBond, { epoch }: Consensus): LookupError {
  const message =
    `The consensus of epoch ${epoch} gives node ${node.nodeId} the weight of a bond, ` +
    `and relay ${relay.nodeId} shows a false one: ${why}.`;
  return new LookupError('bond-unproved', message, {
    culprit: { role: 'relay', nodeId: relay.nodeId },
  });
}
