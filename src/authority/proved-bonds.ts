import { MAX_BOND_FILE_BYTES, parseBondFile, renderBondFile } from '../bond/bond-file.ts';
import { CheckedBonds } from '../bond/checked-bonds.ts';
import { type BondChain, type BondClaim, VOTING_RULES } from '../bond/verify-bond.ts';
import { utf8 } from '../base/bytes.ts';
import { oneAtATime } from '../base/in-turn.ts';
import { type Bond } from '../directory/bond-line.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { type NodeId } from '../directory/node-id.ts';
import { decodeNote } from '../directory/note.ts';
import { RecordDirectory } from '../io/record-directory.ts';

export interface ProvedBondsOptions {
  /** Of the records: made with mode 0700. */
  readonly directory: string;
  /** As this authority itself has verified it. */
  readonly chain: BondChain;
  /** The newest descriptor of each node that is here. */
  readonly nodes: () => readonly Descriptor[];
  /** How many may wait for the descriptor that names them. */
  readonly mostWaiting?: number;
  /** Satoshis: a bond of less holds no place (spec/directory.md section 11). */
  readonly bondMinSats?: number;
}

const MOST_WAITING = 1000;
/** Coins move from one node to another now and then. */
const WAITING_OF_ONE_COIN = 4;

/**
 * The bonds that were proved, on disk and in memory. One may come before the descriptor that names it: as
 * many as that can wait, of each coin a few, so that their places cost coins.
 */
export class ProvedBonds {
  readonly #options: ProvedBondsOptions;
  readonly #records: RecordDirectory;
  readonly #checked: CheckedBonds;
  readonly #inTurn = oneAtATime();
  /** By the names of their records. What was checked of one is not checked again. */
  readonly #claims = new Map<string, BondClaim>();
  /** Those that no node named when this was last looked at. */
  #unnamed: ReadonlySet<string> = new Set();

  private constructor(options: ProvedBondsOptions, records: RecordDirectory) {
    this.#options = options;
    this.#records = records;
    this.#checked = new CheckedBonds(options.chain, VOTING_RULES);
  }

  static async open(options: ProvedBondsOptions): Promise<ProvedBonds> {
    const records = await RecordDirectory.open(options.directory);
    const bonds = new ProvedBonds(options, records);
    for (const name of records.names) {
      bonds.#claims.set(name, await records.decoded(name, claimIn));
    }
    return bonds;
  }

  /**
   * Takes the file of a bond (spec/directory.md section 12). When this resolves, a crash does not undo it.
   * @throws DirectoryError `too-large`, `malformed`; as `verifyBond`; `full` when too many wait for their
   * descriptors.
   */
  async take(file: Uint8Array): Promise<void> {
    const claim = claimIn(file);
    this.#checked.verify(claim);
    const name = nameOf(claim);
    await this.#inTurn(async () => {
      // Whoever brings again what was signed before cannot shorten it.
      if ((this.#claims.get(name)?.bond.expiry ?? 0) > claim.bond.expiry) return;
      const going = this.#inTheWayOf(claim);
      await this.#records.write(name, file);
      this.#claims.set(name, claim);
      if (going !== undefined) await this.#drop(going);
    });
  }

  /** What the bond of a descriptor holds by now: 0 when it names none, or none that is proved. */
  satsOf(descriptor: Descriptor): number {
    return this.#claimOf(descriptor)?.bond.sats ?? 0;
  }

  /**
   * As `satsOf`, of each; 0 where that is less than what counts, or the coins are the proved bond of more
   * than one of them.
   */
  stakesOf(descriptors: readonly Descriptor[]): readonly number[] {
    const proved = descriptors.map((each) => ({ coin: coinOf(each), sats: this.satsOf(each) }));
    const owners = new Map<string, number>();
    for (const { coin, sats } of proved) {
      if (sats > 0) owners.set(coin, (owners.get(coin) ?? 0) + 1);
    }
    const { bondMinSats = 0 } = this.#options;
    return proved.map(({ coin, sats }) =>
      owners.get(coin) === 1 && sats >= bondMinSats ? sats : 0,
    );
  }

  /** The file of the bond of a node (spec/directory.md section 12), while it holds. */
  fileOf(nodeId: NodeId): Uint8Array | undefined {
    const descriptor = this.#options.nodes().find((each) => each.nodeId === nodeId);
    const claim = descriptor && this.#claimOf(descriptor);
    return claim && utf8(renderBondFile(claim));
  }

  /**
   * Drops what no node named before and none names now: a vote can still list the descriptor before the
   * newest, and one that comes first has a descriptor soon.
   */
  async forget(): Promise<void> {
    await this.#inTurn(async () => {
      const unnamed = [...this.#waiting().keys()];
      for (const name of unnamed.filter((each) => this.#unnamed.has(each))) await this.#drop(name);
      this.#unnamed = new Set(unnamed);
    });
  }

  /** Those that the newest descriptor of no node names, the one that came first first. */
  #waiting(): ReadonlyMap<string, BondClaim> {
    const named = new Set(this.#options.nodes().map(nameOf));
    return new Map([...this.#claims].filter(([name]) => !named.has(name)));
  }

  /**
   * What must go for one more that may have to wait.
   * @throws DirectoryError `full`
   */
  #inTheWayOf({ bond }: BondClaim): string | undefined {
    const waiting = [...this.#waiting()];
    const ofCoin = waiting.filter(([, other]) => isSameCoin(other.bond, bond));
    if (ofCoin.length >= WAITING_OF_ONE_COIN) return ofCoin[0]?.[0];
    if (waiting.length < (this.#options.mostWaiting ?? MOST_WAITING)) return undefined;
    const [least] = waiting.sort(([, one], [, other]) => one.bond.sats - other.bond.sats);
    if (least !== undefined && least[1].bond.sats < bond.sats) return least[0];
    throw new DirectoryError('full', 'too many bonds wait for their nodes');
  }

  /** What a descriptor claims, when it holds by now. */
  #claimOf(descriptor: Descriptor): BondClaim | undefined {
    const claim = this.#claims.get(nameOf(descriptor));
    return claim && this.#holds(claim) ? claim : undefined;
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

  async #drop(name: string): Promise<void> {
    this.#claims.delete(name);
    await this.#records.remove(name);
  }
}

/** A node and its coin: for how long its owner signed for the node can be said anew. */
function nameOf(of: Pick<Descriptor, 'nodeId' | 'bond'>): string {
  return `${coinOf(of)}-${of.nodeId}`;
}

/** Empty without a bond. */
function coinOf({ bond }: Pick<Descriptor, 'bond'>): string {
  return bond === undefined ? '' : `${bond.txid}-${bond.vout}`;
}

function isSameCoin(one: Bond, other: Bond): boolean {
  return one.txid === other.txid && one.vout === other.vout;
}

/** @throws DirectoryError `too-large`, `malformed`. */
function claimIn(file: Uint8Array): BondClaim {
  return parseBondFile(decodeNote(file, MAX_BOND_FILE_BYTES));
}
