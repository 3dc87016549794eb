import { toHex } from '../base/bytes.ts';
import { oneAtATime } from '../base/in-turn.ts';
import { admitDescriptor, isLeaving } from '../directory/admit-descriptor.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type Descriptor, parseDescriptor, rereadDescriptor } from '../directory/descriptor.ts';
import { MAX_DESCRIPTOR_SECONDS, MAX_NODES } from '../directory/limits.ts';
import { type NodeId } from '../directory/node-id.ts';
import { type Slot } from '../directory/timeline.ts';
import { isUsable, type ListTime } from '../directory/usable-descriptors.ts';
import { RecordDirectory } from '../io/record-directory.ts';
import { type DescriptorShelf } from './round-parts.ts';

/** A descriptor and the note that it came in. */
interface Shelved {
  readonly descriptor: Descriptor;
  readonly note: Uint8Array;
}

export interface HeldNodesOptions {
  /** Of the records: made with mode 0700. */
  readonly directory: string;
  /** Hash of block 0 of the network. */
  readonly genesis: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** The slot that is being made, or the next, by the time in milliseconds. */
  readonly slotAt: (now: number) => ListedSlot;
  /** How many nodes there can be. */
  readonly most?: number;
}

/** What of a slot decides which descriptors a vote can list. */
type ListedSlot = Pick<Slot, 'publishedUntil' | 'validAfter'>;

export interface AdmitOptions {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly consensus: Consensus | undefined;
  readonly standing: Standing;
}

/** What a node holds its place by when there are too many. */
export interface Standing {
  /** Satoshis that are locked for each, and for no other of them. */
  readonly stakesOf: (descriptors: readonly Descriptor[]) => readonly number[];
  /** Whether it was found at its onion. */
  readonly isThere: (nodeId: NodeId) => boolean;
}

/**
 * The nodes that this authority has admitted, on disk and in memory; and, in memory, those that only
 * others have admitted. A node that has left is remembered as long as an older descriptor of it could
 * be brought again.
 */
export class HeldNodes implements DescriptorShelf {
  readonly #records: RecordDirectory;
  readonly #genesis: string;
  readonly #slotAt: (now: number) => ListedSlot;
  readonly #most: number;
  readonly #inTurn = oneAtATime();
  /** Oldest first; never empty. */
  readonly #versions = new Map<NodeId, readonly Shelved[]>();
  readonly #nodeAt = new Map<string, NodeId>();
  readonly #byDigest = new Map<string, Shelved>();
  readonly #ofOthers = new Map<string, Shelved>();
  #voted = new Map<string, Shelved>();

  private constructor(
    records: RecordDirectory,
    { genesis, slotAt, most = MAX_NODES }: HeldNodesOptions,
  ) {
    this.#records = records;
    this.#genesis = genesis;
    this.#slotAt = slotAt;
    this.#most = most;
  }

  static async open(options: HeldNodesOptions): Promise<HeldNodes> {
    const nodes = new HeldNodes(await RecordDirectory.open(options.directory), options);
    for (const name of nodes.#records.names) {
      const shelved = (note: Uint8Array) => ({ descriptor: rereadDescriptor(note), note });
      nodes.#hold(await nodes.#records.decoded(name, shelved));
    }
    await nodes.forget(options.now);
    return nodes;
  }

  /** How many there are, those that have left too. */
  get size(): number {
    return this.#versions.size;
  }

  get(digest: Uint8Array): Descriptor | undefined {
    return this.#shelved(digest)?.descriptor;
  }

  noteOf(digest: Uint8Array): Uint8Array | undefined {
    return this.#shelved(digest)?.note;
  }

  /** The newest descriptor that the node itself brought; undefined when it has left. */
  newest(nodeId: NodeId): Descriptor | undefined {
    const descriptor = this.#newest(nodeId);
    return descriptor === undefined || isLeaving(descriptor) ? undefined : descriptor;
  }

  /** The newest descriptor of each node that is here. */
  all(): readonly Descriptor[] {
    return [...this.#versions.keys()].flatMap((nodeId) => this.newest(nodeId) ?? []);
  }

  /** One that others have admitted: it is shown, and never voted for. */
  put(descriptor: Descriptor, note: Uint8Array): Promise<void> {
    this.#ofOthers.set(toHex(descriptor.digest), { descriptor, note });
    return Promise.resolve();
  }

  /**
   * Takes what a node says of itself. When this resolves, a crash does not undo it.
   * @throws DirectoryError as `parseDescriptor` and `admitDescriptor`.
   */
  async admit(note: Uint8Array, { now, consensus, standing }: AdmitOptions): Promise<Descriptor> {
    const descriptor = parseDescriptor(note);
    const { nodeId } = descriptor;
    await this.#inTurn(async () => {
      const held = this.#newest(nodeId);
      const isMore = held === undefined && this.size >= this.#most;
      const going = isMore ? this.#expendable(descriptor, standing) : undefined;
      admitDescriptor(descriptor, {
        genesis: this.#genesis,
        now,
        held,
        listed: consensus?.node(nodeId),
        nodeAt: (host) => this.#nodeAt.get(host),
        isFull: isMore && going === undefined,
      });
      if (this.#byDigest.has(toHex(descriptor.digest))) return;
      if (going !== undefined) await this.#dropNode(going.nodeId);
      await this.#records.write(recordName(descriptor), note);
      this.#hold({ descriptor, note });
      await this.#dropUseless(nodeId, { ...this.#slotAt(now), previous: consensus });
    });
    return descriptor;
  }

  /** What a vote can list of each node that is here, in the order of their ids. */
  listable(
    { publishedUntil, validAfter }: ListedSlot,
    previous: Consensus | undefined,
  ): Descriptor[] {
    const listed = [...this.#versions].flatMap(([nodeId, versions]) => {
      if (this.newest(nodeId) === undefined) return [];
      return listableOf(versions, { publishedUntil, validAfter, previous })?.descriptor ?? [];
    });
    return listed.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  }

  /**
   * What this authority votes for is shown until it votes again, whatever the nodes bring by then: the
   * consensus is made of it, and who lists it counts on those who do.
   */
  showVoted(descriptors: readonly Descriptor[]): void {
    const shelved = descriptors.flatMap(({ digest }) => this.#shelved(digest) ?? []);
    this.#voted = new Map(shelved.map((each) => [toHex(each.descriptor.digest), each]));
  }

  /** Drops what has expired for sure, whatever a node said. `now`: milliseconds. */
  async forget(now: number): Promise<void> {
    const isOver = ({ descriptor }: Shelved): boolean =>
      descriptor.published + MAX_DESCRIPTOR_SECONDS <= now / 1000;
    for (const [digest, shelved] of this.#ofOthers) {
      if (isOver(shelved)) this.#ofOthers.delete(digest);
    }
    await this.#inTurn(async () => {
      for (const [nodeId, versions] of this.#versions) {
        const kept = versions.filter((each) => !isOver(each));
        if (kept.length > 0) this.#versions.set(nodeId, kept);
        else this.#versions.delete(nodeId);
        for (const { descriptor } of versions.filter(isOver)) await this.#drop(descriptor);
      }
    });
  }

  #shelved(digest: Uint8Array): Shelved | undefined {
    const hex = toHex(digest);
    return this.#byDigest.get(hex) ?? this.#voted.get(hex) ?? this.#ofOthers.get(hex);
  }

  #newest(nodeId: NodeId): Descriptor | undefined {
    return this.#versions.get(nodeId)?.at(-1)?.descriptor;
  }

  #hold(shelved: Shelved): void {
    const { nodeId, onion, digest } = shelved.descriptor;
    this.#versions.set(nodeId, [...(this.#versions.get(nodeId) ?? []), shelved]);
    this.#byDigest.set(toHex(digest), shelved);
    this.#nodeAt.set(onion.host, nodeId);
  }

  /**
   * Two versions at most are of use: the newest, which is listed from some slot on and keeps others from
   * bringing back what is older, and the one that the slot being made lists.
   */
  async #dropUseless(nodeId: NodeId, time: ListedSlot & ListTime): Promise<void> {
    const versions = this.#versions.get(nodeId) ?? [];
    const useful = new Set([versions.at(-1), listableOf(versions, time)]);
    this.#versions.set(
      nodeId,
      versions.filter((each) => useful.has(each)),
    );
    for (const each of versions) if (!useful.has(each)) await this.#drop(each.descriptor);
  }

  /**
   * Who makes room: one without a bond that is not there; else the one that left the longest ago, because
   * nothing older of it is of use for long; else the last that came of those with the smallest bond, if
   * that of the newcomer is larger.
   */
  #expendable(newcomer: Descriptor, { stakesOf, isThere }: Standing): Descriptor | undefined {
    const newest = [...this.#versions.keys()].flatMap((nodeId) => this.#newest(nodeId) ?? []);
    const [longestGone] = newest.filter(isLeaving).sort((a, b) => a.published - b.published);
    const here = newest.filter((each) => !isLeaving(each));
    const [stake = 0, ...stakes] = stakesOf([newcomer, ...here]);
    const least = stakes.reduce((min, each) => Math.min(min, each), stake);
    const missing = here.find(({ nodeId }, index) => stakes[index] === 0 && !isThere(nodeId));
    return missing ?? longestGone ?? (least < stake ? here[stakes.lastIndexOf(least)] : undefined);
  }

  async #dropNode(nodeId: NodeId): Promise<void> {
    const versions = this.#versions.get(nodeId) ?? [];
    this.#versions.delete(nodeId);
    for (const { descriptor } of versions) await this.#drop(descriptor);
  }

  async #drop(descriptor: Descriptor): Promise<void> {
    this.#byDigest.delete(toHex(descriptor.digest));
    await this.#records.remove(recordName(descriptor));
    const { host } = descriptor.onion;
    const isThere = this.#newest(descriptor.nodeId)?.onion.host === host;
    if (!isThere && this.#nodeAt.get(host) === descriptor.nodeId) this.#nodeAt.delete(host);
  }
}

/** Of the versions of a node, the oldest first, the one that a vote lists. */
function listableOf(
  versions: readonly Shelved[],
  { publishedUntil, ...time }: ListedSlot & ListTime,
): Shelved | undefined {
  return versions.findLast(
    ({ descriptor }) => descriptor.published <= publishedUntil && isUsable(descriptor, time),
  );
}

const NUMBER_DIGITS = 16;

/** Sorts by the time of publication, so that reading the records in order puts the newest last. */
function recordName({ nodeId, published }: Descriptor): string {
  return `${String(published).padStart(NUMBER_DIGITS, '0')}-${nodeId}`;
}
