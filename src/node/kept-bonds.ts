import { fromUtf8, MalformedBytesError } from '../base/bytes.ts';
import { isCertified } from '../bond/bond-certificate.ts';
import { parseBondFile } from '../bond/bond-file.ts';
import { type BondClaim } from '../bond/verify-bond.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { DIRECTORY_KINDS, nodeDigest } from '../directory/directory-view.ts';
import { type NodeId } from '../directory/node-id.ts';
import { RecordDirectory } from '../io/record-directory.ts';

/** A bond and the file that it came in. */
interface KeptBond {
  readonly claim: BondClaim;
  readonly file: Uint8Array;
}

/** Until another one is asked. */
const FETCH_MS = 30_000;

/**
 * The files of the bonds of the gateways, as clients ask their relays for them: on disk and in memory,
 * one for each node that the consensus lists with a bond. Clients check them against the chain.
 */
export class KeptBonds {
  readonly #records: RecordDirectory;
  readonly #bonds = new Map<NodeId, KeptBond>();

  private constructor(records: RecordDirectory) {
    this.#records = records;
  }

  /** `directory` is made with mode 0700. */
  static async open(directory: string): Promise<KeptBonds> {
    const kept = new KeptBonds(await RecordDirectory.open(directory));
    for (const nodeId of kept.#records.names) {
      const bond = bondIn(await kept.#records.read(nodeId), nodeId);
      if (bond !== undefined) kept.#bonds.set(nodeId, bond);
    }
    return kept;
  }

  fileOf(nodeId: NodeId): Uint8Array | undefined {
    return this.#bonds.get(nodeId)?.file;
  }

  /**
   * Fetches what is missing, from one source after the other, and drops what is needed no more. Whether
   * all of it is there then.
   */
  async follow(
    consensus: Consensus,
    sources: readonly DirectorySource[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const wanted = new Map(consensus.nodes.filter(isWanted).map((node) => [node.nodeId, node]));
    for (const nodeId of this.#records.names.filter((name) => !wanted.has(name))) {
      this.#bonds.delete(nodeId);
      await this.#records.remove(nodeId);
    }
    for (const node of wanted.values()) {
      if (signal.aborted) return false;
      if (!this.#has(node)) await this.#fetch(node, sources, signal);
    }
    return [...wanted.values()].every((node) => this.#has(node));
  }

  async #fetch(
    node: ConsensusNode,
    sources: readonly DirectorySource[],
    signal: AbortSignal,
  ): Promise<void> {
    const { nodeId } = node;
    for (const source of sources) {
      const within = AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)]);
      const file = await source
        .fetch(DIRECTORY_KINDS.bond, nodeDigest(nodeId), within)
        .catch(() => undefined);
      if (signal.aborted) return;
      const bond = file && bondIn(file, nodeId);
      if (bond === undefined || !suffices(bond, node)) continue;
      await this.#records.write(nodeId, bond.file);
      this.#bonds.set(nodeId, bond);
      return;
    }
  }

  #has(node: ConsensusNode): boolean {
    const held = this.#bonds.get(node.nodeId);
    return held !== undefined && suffices(held, node);
  }
}

/** A bond can have been made anew, or larger. */
function suffices({ claim }: KeptBond, { weight }: ConsensusNode): boolean {
  return claim.bond.sats >= weight;
}

function isWanted({ flags }: ConsensusNode): boolean {
  return flags.has('Bonded') && flags.has('Gateway');
}

/** Undefined for what is not the bond of this node. */
function bondIn(file: Uint8Array, nodeId: NodeId): KeptBond | undefined {
  try {
    const claim = parseBondFile(fromUtf8(file));
    const { bond } = claim;
    const isOfNode = claim.nodeId === nodeId && isCertified({ nodeId, expiry: bond.expiry }, bond);
    return isOfNode ? { claim, file } : undefined;
  } catch (error) {
    if (error instanceof DirectoryError || error instanceof MalformedBytesError) return undefined;
    throw error;
  }
}
