import { type BondProof, decodeBondProof } from '../bond/bond-proof.ts';
import { renderBondFile } from '../bond/bond-file.ts';
import { CheckedBonds } from '../bond/checked-bonds.ts';
import { type BondChain, type BondClaim, VOTING_RULES } from '../bond/verify-bond.ts';
import { MalformedBytesError, utf8 } from '../base/bytes.ts';
import { txidOf } from '../bitcoin/transaction.ts';
import { type Bond, renderBond } from '../directory/bond-line.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { type NodeId } from '../directory/node-id.ts';
import { RecordDirectory } from '../io/record-directory.ts';

export interface ProvedBondsOptions {
  /** Of the records: made with mode 0700. */
  readonly directory: string;
  /** As this authority itself has verified it. */
  readonly chain: BondChain;
  /** The newest descriptor of each node that is here. */
  readonly nodes: () => readonly Descriptor[];
}

/**
 * The proofs of the bonds that nodes name, on disk and in memory, by the transaction that paid them. A
 * proof is taken only for a bond that a node names and that holds, so what is kept costs its bringer
 * coins.
 */
export class ProvedBonds {
  readonly #options: ProvedBondsOptions;
  readonly #records: RecordDirectory;
  readonly #checked: CheckedBonds;
  readonly #proofs = new Map<string, BondProof>();
  /** By node and bond, each with the proof that is here: what was checked is not checked again. */
  readonly #claims = new Map<string, BondClaim>();

  private constructor(options: ProvedBondsOptions, records: RecordDirectory) {
    this.#options = options;
    this.#records = records;
    this.#checked = new CheckedBonds(options.chain, VOTING_RULES);
  }

  static async open(options: ProvedBondsOptions): Promise<ProvedBonds> {
    const records = await RecordDirectory.open(options.directory);
    const bonds = new ProvedBonds(options, records);
    for (const txid of records.names) {
      bonds.#proofs.set(txid, decodeBondProof(await records.read(txid)));
    }
    return bonds;
  }

  /**
   * Takes a proof for those nodes that name its transaction. When this resolves, a crash does not undo
   * it.
   * @throws DirectoryError `too-large`, `malformed`; `unknown-node` when no node names it; as
   * `verifyBond` when the bond of none of them holds.
   */
  async take(bytes: Uint8Array): Promise<void> {
    const proof = decodeBondProof(bytes);
    const txid = txidOfProof(proof);
    const claims = this.#options
      .nodes()
      .flatMap(({ nodeId, bond }) => (bond?.txid === txid ? [{ nodeId, bond, proof }] : []));
    if (claims.length === 0) {
      throw new DirectoryError('unknown-node', 'no node that is here names this payment');
    }
    const refusals = claims.map((claim) => this.#refusalOf(claim));
    const [first] = refusals;
    if (first !== undefined && !refusals.includes(undefined)) throw first;
    await this.#records.write(txid, bytes);
    this.#proofs.set(txid, proof);
  }

  /** What the bond of a descriptor holds by now: 0 when it names none, or none that is proved. */
  satsOf(descriptor: Descriptor): number {
    return this.#claimOf(descriptor)?.bond.sats ?? 0;
  }

  /** The file of the bond of a node (spec/directory.md section 12), while it holds. */
  fileOf(nodeId: NodeId): Uint8Array | undefined {
    const descriptor = this.#options.nodes().find((each) => each.nodeId === nodeId);
    const claim = descriptor && this.#claimOf(descriptor);
    return claim && utf8(renderBondFile(claim));
  }

  /** Drops the proofs of payments that no node names any more. */
  async forget(): Promise<void> {
    const nodes = this.#options.nodes();
    const keys = new Set(nodes.flatMap(({ nodeId, bond }) => (bond ? [keyOf(nodeId, bond)] : [])));
    for (const key of this.#claims.keys()) if (!keys.has(key)) this.#claims.delete(key);
    const named = new Set(nodes.map(({ bond }) => bond?.txid));
    for (const txid of [...this.#proofs.keys()].filter((each) => !named.has(each))) {
      this.#proofs.delete(txid);
      await this.#records.remove(txid);
    }
  }

  /** What a descriptor claims, when it holds by now. */
  #claimOf({ nodeId, bond }: Descriptor): BondClaim | undefined {
    const proof = bond && this.#proofs.get(bond.txid);
    if (bond === undefined || proof === undefined) return undefined;
    const key = keyOf(nodeId, bond);
    const held = this.#claims.get(key);
    const claim = held?.proof === proof ? held : { nodeId, bond, proof };
    this.#claims.set(key, claim);
    return this.#refusalOf(claim) === undefined ? claim : undefined;
  }

  #refusalOf(claim: BondClaim): DirectoryError | undefined {
    try {
      this.#checked.verify(claim);
      return undefined;
    } catch (error) {
      if (error instanceof DirectoryError) return error;
      throw error;
    }
  }
}

function keyOf(nodeId: NodeId, bond: Bond): string {
  return `${nodeId} ${renderBond(bond)}`;
}

function txidOfProof({ raw }: BondProof): string {
  try {
    return txidOf(raw);
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw new DirectoryError('malformed', 'not a transaction', { cause });
  }
}
