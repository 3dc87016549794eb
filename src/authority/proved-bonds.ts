import { type BondProof, decodeBondProof } from '../bond/bond-proof.ts';
import { type BondChain, verifyBond } from '../bond/verify-bond.ts';
import { MalformedBytesError } from '../base/bytes.ts';
import { txidOf } from '../bitcoin/transaction.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { DirectoryError } from '../directory/directory-error.ts';
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
  readonly #proofs = new Map<string, BondProof>();

  private constructor(options: ProvedBondsOptions, records: RecordDirectory) {
    this.#options = options;
    this.#records = records;
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
    const claims = this.#options.nodes().filter(({ bond }) => bond?.txid === txid);
    if (claims.length === 0) {
      throw new DirectoryError('unknown-node', 'no node that is here names this payment');
    }
    const refusals = claims.map((claim) =>
      refusalOf(() => {
        this.#check(claim, proof);
      }),
    );
    const [first] = refusals;
    if (first !== undefined && !refusals.includes(undefined)) throw first;
    await this.#records.write(txid, bytes);
    this.#proofs.set(txid, proof);
  }

  /** What the bond of a descriptor holds by now: 0 when it names none, or none that is proved. */
  satsOf(descriptor: Descriptor): number {
    const { bond } = descriptor;
    const proof = bond && this.#proofs.get(bond.txid);
    if (bond === undefined || proof === undefined) return 0;
    return refusalOf(() => {
      this.#check(descriptor, proof);
    }) === undefined
      ? bond.sats
      : 0;
  }

  /** Drops the proofs of payments that no node names any more. */
  async forget(): Promise<void> {
    const named = new Set(this.#options.nodes().map(({ bond }) => bond?.txid));
    for (const txid of [...this.#proofs.keys()].filter((each) => !named.has(each))) {
      this.#proofs.delete(txid);
      await this.#records.remove(txid);
    }
  }

  /** @throws DirectoryError */
  #check({ nodeId, bond }: Descriptor, proof: BondProof): void {
    if (bond !== undefined) verifyBond({ nodeId, bond, proof }, this.#options.chain);
  }
}

function txidOfProof({ raw }: BondProof): string {
  try {
    return txidOf(raw);
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw new DirectoryError('malformed', 'not a transaction', { cause });
  }
}

function refusalOf(check: () => void): DirectoryError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof DirectoryError) return error;
    throw error;
  }
}
