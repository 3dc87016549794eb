import { setImmediate } from 'node:timers/promises';
import { utf8 } from '../base/bytes.ts';
import { renderBondFile } from '../bond/bond-file.ts';
import { CheckedBonds } from '../bond/checked-bonds.ts';
import { claimOfNode } from '../bond/claim-of-node.ts';
import {
  type BondChain,
  type BondClaim,
  LISTED_RULES,
  momentOf,
  secondsLeft,
} from '../bond/verify-bond.ts';
import { type Bond } from '../directory/bond-line.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { DIRECTORY_KINDS, nodeDigest } from '../directory/directory-view.ts';
import { type NodeId } from '../directory/node-id.ts';
import { RecordDirectory } from '../io/record-directory.ts';

/** Until another one is asked. A first onion connection takes long. */
const FETCH_MS = 60_000;
/** Nodes whose bonds are fetched side by side. */
const ABREAST = 4;
/** With less left of a bond its operator may have signed a new certificate, or locked other coins. */
const SOON_SECONDS = 7 * 86_400;
/** To check a bond for the first time takes a millisecond or more; others want to run meanwhile. */
const CHECKED_AT_ONCE = 16;

/**
 * The bonds of the gateways, whose files clients ask their relays for: on disk and in memory, one for
 * each node that the consensus lists with a bond. None is kept, or shown, that the chain refutes: a file
 * proves itself, and so it does not matter who gave it.
 */
export class KeptBonds {
  readonly #records: RecordDirectory;
  readonly #chain: BondChain;
  readonly #checked: CheckedBonds;
  readonly #claims = new Map<NodeId, BondClaim>();
  /** By how many of the nodes each output is claimed. */
  readonly #claimants = new Map<string, number>();
  /** In which what holds was last looked at for something newer. */
  #renewedIn: Consensus | undefined;

  private constructor(records: RecordDirectory, chain: BondChain) {
    this.#records = records;
    this.#chain = chain;
    this.#checked = new CheckedBonds(chain, LISTED_RULES);
  }

  /** `directory` is made with mode 0700; `chain` as this node itself has verified it. */
  static async open(directory: string, chain: BondChain): Promise<KeptBonds> {
    const kept = new KeptBonds(await RecordDirectory.open(directory), chain);
    for (const nodeId of kept.#records.names) {
      const claim = claimOfNode(await kept.#records.read(nodeId), nodeId);
      if (claim !== undefined) kept.#hold(claim);
    }
    return kept;
  }

  /** Undefined also for one that does not hold any more. */
  fileOf(nodeId: NodeId): Uint8Array | undefined {
    const claim = this.#claims.get(nodeId);
    return claim && this.#holds(claim) ? utf8(renderBondFile(claim)) : undefined;
  }

  /**
   * Fetches what is missing and, once in each consensus, what may have been replaced: a bond that ends
   * soon, or that two nodes show. Drops what is needed no more. Whether nothing is missing then.
   */
  async follow(
    consensus: Consensus,
    sources: readonly DirectorySource[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const wanted = new Map(consensus.nodes.filter(isWanted).map((node) => [node.nodeId, node]));
    for (const nodeId of this.#records.names.filter((name) => !wanted.has(name))) {
      this.#release(nodeId);
      await this.#records.remove(nodeId);
    }
    const nodes = [...wanted.values()];
    const missing = await this.#unless((node) => this.#suffices(node), nodes);
    await this.#fetchAll(missing, sources, signal);
    if (this.#renewedIn !== consensus) {
      const replaced = await this.#unless((node) => this.#isFresh(node), nodes);
      const held = replaced.filter((node) => this.#suffices(node));
      await this.#fetchAll(held, sources, signal);
      if (!signal.aborted) this.#renewedIn = consensus;
    }
    return (await this.#unless((node) => this.#suffices(node), nodes)).length === 0;
  }

  async #unless(
    isSo: (node: ConsensusNode) => boolean,
    nodes: readonly ConsensusNode[],
  ): Promise<readonly ConsensusNode[]> {
    const others: ConsensusNode[] = [];
    for (const [index, node] of nodes.entries()) {
      if (index % CHECKED_AT_ONCE === 0) await setImmediate();
      if (!isSo(node)) others.push(node);
    }
    return others;
  }

  /** Each node begins at another source, so that none is asked for everything; one that failed comes last. */
  async #fetchAll(
    nodes: readonly ConsensusNode[],
    sources: readonly DirectorySource[],
    signal: AbortSignal,
  ): Promise<void> {
    const failed = new Set<DirectorySource>();
    const left = [...nodes.entries()];
    const work = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const [index, node] = next;
        const first = sources.length === 0 ? 0 : index % sources.length;
        const turned = [...sources.slice(first), ...sources.slice(0, first)];
        const ordered = [
          ...turned.filter((source) => !failed.has(source)),
          ...turned.filter((source) => failed.has(source)),
        ];
        await this.#fetch(node, { sources: ordered, failed, signal });
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, work));
  }

  /** Asks one source after the other until there is nothing to wish for. */
  async #fetch(node: ConsensusNode, { sources, failed, signal }: Asking): Promise<void> {
    const { nodeId } = node;
    for (const source of sources) {
      if (signal.aborted) return;
      const within = AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)]);
      let file: Uint8Array;
      try {
        file = await source.fetch(DIRECTORY_KINDS.bond, nodeDigest(nodeId), within);
      } catch {
        failed.add(source);
        continue;
      }
      const claim = claimOfNode(file, nodeId);
      if (claim === undefined || !this.#isBetter(claim, node)) continue;
      await this.#records.write(nodeId, file);
      this.#hold(claim);
      if (this.#isFresh(node)) return;
    }
  }

  /** Whether there is nothing to wish for. */
  #isFresh(node: ConsensusNode): boolean {
    const held = this.#claims.get(node.nodeId);
    return (
      held !== undefined &&
      this.#suffices(node) &&
      !this.#isTwin(held) &&
      this.#left(held) > SOON_SECONDS
    );
  }

  /** Whoever shows an old bond of a node cannot put it in the place of one that lasts longer. */
  #isBetter(claim: BondClaim, node: ConsensusNode): boolean {
    if (claim.bond.sats < node.weight || !this.#holds(claim)) return false;
    const held = this.#claims.get(node.nodeId);
    if (held === undefined || !this.#suffices(node)) return true;
    if (this.#isTwin(held) !== this.#isTwin(claim)) return this.#isTwin(held);
    return this.#left(claim) > this.#left(held);
  }

  /** A bond can have been made anew, or larger. */
  #suffices({ nodeId, weight }: ConsensusNode): boolean {
    const held = this.#claims.get(nodeId);
    return held !== undefined && held.bond.sats >= weight && this.#holds(held);
  }

  #holds(claim: BondClaim): boolean {
    try {
      this.#checked.verify(claim);
      return true;
    } catch (error) {
      if (error instanceof DirectoryError) return false;
      throw error;
    }
  }

  /** Whether another node shows the same output: one of the two has another bond by now. */
  #isTwin({ nodeId, bond }: BondClaim): boolean {
    const held = this.#claims.get(nodeId);
    const own = held !== undefined && coinOf(held.bond) === coinOf(bond) ? 1 : 0;
    return (this.#claimants.get(coinOf(bond)) ?? 0) > own;
  }

  #left({ bond }: BondClaim): number {
    return secondsLeft(bond, momentOf(this.#chain));
  }

  #hold(claim: BondClaim): void {
    this.#release(claim.nodeId);
    this.#claims.set(claim.nodeId, claim);
    this.#count(claim.bond, 1);
  }

  #release(nodeId: NodeId): void {
    const held = this.#claims.get(nodeId);
    if (held === undefined) return;
    this.#claims.delete(nodeId);
    this.#count(held.bond, -1);
  }

  #count(bond: Bond, more: number): void {
    const claimants = (this.#claimants.get(coinOf(bond)) ?? 0) + more;
    if (claimants > 0) this.#claimants.set(coinOf(bond), claimants);
    else this.#claimants.delete(coinOf(bond));
  }
}

interface Asking {
  readonly sources: readonly DirectorySource[];
  /** Takes those that do not answer. */
  readonly failed: Set<DirectorySource>;
  readonly signal: AbortSignal;
}

function isWanted({ flags }: ConsensusNode): boolean {
  return flags.has('Bonded') && flags.has('Gateway');
}

function coinOf({ txid, vout }: Bond): string {
  return `${txid}:${vout}`;
}
