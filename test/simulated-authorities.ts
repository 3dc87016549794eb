import { equalBytes, fromUtf8, toBase64, toHex, utf8 } from '../src/base/bytes.ts';
import { type Logger, silent } from '../src/base/log.ts';
import { NewestConsensus } from '../src/authority/newest-consensus.ts';
import type { Ballot, RoundParts } from '../src/authority/round-parts.ts';
import { runRounds } from '../src/authority/rounds.ts';
import type { Time } from '../src/authority/time.ts';
import { ShownDocuments } from '../src/authority/shown-documents.ts';
import {
  type Consensus,
  type LogHead,
  type NodeFlag,
  parseConsensus,
} from '../src/directory/consensus.ts';
import { type Descriptor, parseDescriptor } from '../src/directory/descriptor.ts';
import { parseDetached } from '../src/directory/detached-signature.ts';
import type { DirectorySource } from '../src/directory/directory-client.ts';
import { DIRECTORY_KINDS, type DirectoryKind } from '../src/directory/directory-view.ts';
import { leafHash, logRoot } from '../src/directory/merkle-log.ts';
import { textOfNote, verifierKeyOf } from '../src/directory/note.ts';
import type { Policy } from '../src/directory/policy.ts';
import { type Slot, slotOf, type Timeline, USUAL_TIMELINE } from '../src/directory/timeline.ts';
import { newestDescriptors } from '../src/directory/usable-descriptors.ts';
import { parseVote } from '../src/directory/vote.ts';
import { MemoryAuthorityStore } from './memory-authority-store.ts';
import {
  TEST_TIME,
  testAuthorities,
  testDescriptorNote,
  testPolicy,
  type TestAuthority,
} from './test-directory.ts';
import { VirtualTime } from './virtual-time.ts';

const nothing = new Uint8Array();
/** Longer than a question and its answer take, so that what is shown too early is seen. */
const DISK_MS = 2000;
const descriptors = ['a', 'b', 'c', 'd'].map((name) => shelved(testDescriptorNote(name)));

interface ShelvedDescriptor {
  readonly descriptor: Descriptor;
  readonly note: Uint8Array;
}

function shelved(note: string): ShelvedDescriptor {
  return { descriptor: parseDescriptor(note), note: utf8(note) };
}

/** What an authority answers a question of another, by its name. */
export type Answer = (
  kind: DirectoryKind,
  digest: Uint8Array,
  asker: string,
) => Uint8Array | Promise<Uint8Array>;

/** How a message goes from one authority to another: after how long, if at all. */
export type Passage = (from: string, to: string) => number | 'lost';

const policies = new Map<number, { keys: readonly TestAuthority[]; policy: Policy }>();

/** Keys take long to check, and are the same in all tests. */
function known(count: number) {
  const keys = testAuthorities(count);
  const made = policies.get(count) ?? { keys, policy: testPolicy(keys) };
  policies.set(count, made);
  return made;
}

/** Authorities in one process, with a clock and a network of their own. */
export class SimulatedAuthorities {
  readonly timeline: Timeline = USUAL_TIMELINE;
  readonly time: VirtualTime;
  /** Whom each goes by from its next start on. */
  policy: Policy;
  readonly all: readonly SimulatedAuthority[];
  passage: Passage = () => 200;

  constructor(count: number) {
    const { keys, policy } = known(count);
    this.policy = policy;
    this.time = new VirtualTime(this.slot(0).opensMs - 1000);
    this.all = keys.map((key) => new SimulatedAuthority(key, this));
  }

  /** The slots of the tests are counted from `TEST_TIME`. */
  slot(index: number): Slot {
    const epoch = TEST_TIME / this.timeline.periodSeconds + index;
    return slotOf(epoch, this.timeline, this.policy.authorities.length);
  }

  /** Runs all that are given until the end of a slot. */
  async runThrough(index: number): Promise<void> {
    await this.time.runUntil(this.slot(index).endsMs + 1000);
  }

  authority(name: string): SimulatedAuthority {
    const found = this.all.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no authority ${name}`);
    return found;
  }
}

/** One authority; it can be started, killed with all that it has not written, and started again. */
export class SimulatedAuthority {
  readonly name: string;
  readonly key: TestAuthority;
  readonly store = new MemoryAuthorityStore();
  readonly descriptors = new Map<string, ShelvedDescriptor>();
  /** The hashes of the consensus texts that its signatures have left for, by epoch. */
  readonly signatures = new Map<number, Set<string>>();
  /** What has left before it was on disk. */
  readonly premature: string[] = [];
  /** The digests of the votes of its own that have left, by epoch. */
  readonly votes = new Map<number, Set<string>>();
  /** What it thinks of the nodes. */
  castBallot: RoundParts['castBallot'] = (slot, previous) =>
    Promise.resolve(this.usualBallot(slot, previous));
  /** Every message it sends or gets counts as a step. */
  onStep: () => void = () => undefined;
  /** Set for one that does not keep to the rules. */
  answer: Answer | undefined;
  clockOffsetMs = 0;
  /** In the place of one that is wrong by so much, from the next start on. */
  clock: Time | undefined;
  log: Logger = silent;
  readonly #network: SimulatedAuthorities;
  #life: { parts: RoundParts; end: AbortController } | undefined;

  constructor(key: TestAuthority, network: SimulatedAuthorities) {
    this.key = key;
    this.name = key.name;
    this.#network = network;
    for (const each of descriptors) this.#shelve(each);
    const { signal } = new AbortController();
    this.store.onDisk = () => network.time.sleepUntil(network.time.nowMs + DISK_MS, signal);
  }

  addDescriptor(note: string): void {
    this.#shelve(shelved(note));
  }

  usualBallot(slot: Slot, previous: Consensus | undefined): Ballot {
    const nodes = [...newestDescriptors([...this.#usable(slot)]).values()]
      .map(({ nodeId, digest }) => ({
        nodeId,
        descriptorDigest: digest,
        bond: 0,
        flags: new Set<NodeFlag>(['Relay', 'Gateway', 'Running']),
      }))
      .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
    const params = new Map([['mix-ms', 500]]);
    return { params, nodes, log: testLogAfter(previous) };
  }

  get newest(): Consensus | undefined {
    return this.#life?.parts.newest.consensus;
  }

  /** While it runs. */
  get parts(): RoundParts {
    if (this.#life === undefined) throw new Error('it does not run');
    return this.#life.parts;
  }

  async start(): Promise<void> {
    if (this.#life !== undefined) throw new Error('it runs already');
    const { policy, timeline, time, all } = this.#network;
    const end = new AbortController();
    const newest = await NewestConsensus.open({ policy, store: this.store, log: this.log });
    const shown = new ShownDocuments();
    const parts: RoundParts = {
      policy,
      signer: this.key,
      peers: all
        .filter((other) => other !== this && isOf(policy, other))
        .map((other) => this.#peer(other, end.signal)),
      store: this.store,
      descriptors: {
        get: (digest) => this.descriptors.get(toBase64(digest))?.descriptor,
        put: (descriptor, note) => {
          this.#shelve({ descriptor, note });
          return Promise.resolve();
        },
      },
      newest,
      shown,
      castBallot: (slot, previous) => this.castBallot(slot, previous),
      time: this.clock ?? time.shifted(this.clockOffsetMs),
      log: this.log,
    };
    this.#life = { parts, end };
    runRounds(timeline, parts, end.signal).catch((error: unknown) => {
      if (!end.signal.aborted) throw error;
    });
  }

  /** At once, whatever it is doing. */
  kill(): void {
    this.#life?.end.abort(new Error('killed'));
    this.#life = undefined;
  }

  /** What comes back to a question of another authority. */
  async respond(kind: DirectoryKind, digest: Uint8Array, asker: string): Promise<Uint8Array> {
    this.onStep();
    if (this.answer !== undefined) return await this.answer(kind, digest, asker);
    if (this.#life === undefined) throw new Error('nobody is there');
    const document = this.document(kind, digest) ?? nothing;
    if (document.length > 0) this.#remember(kind, document);
    return document;
  }

  /** What it has to show. */
  document(kind: DirectoryKind, digest: Uint8Array): Uint8Array | undefined {
    const { newest, shown } = this.#life?.parts ?? {};
    const held = newest?.held;
    if (kind === DIRECTORY_KINDS.latestConsensus) return held?.note;
    if (kind === DIRECTORY_KINDS.descriptor) return this.descriptors.get(toBase64(digest))?.note;
    if (kind === DIRECTORY_KINDS.consensus && held && equalBytes(held.consensus.hash, digest)) {
      return held.note;
    }
    return shown?.noteOf(kind, digest);
  }

  #shelve(shelved: ShelvedDescriptor): void {
    this.descriptors.set(toBase64(shelved.descriptor.digest), shelved);
  }

  #usable(slot: Slot): readonly Descriptor[] {
    return [...this.descriptors.values()]
      .map(({ descriptor }) => descriptor)
      .filter((each) => each.published <= slot.publishedUntil && slot.validAfter < each.expires);
  }

  #remember(kind: DirectoryKind, document: Uint8Array): void {
    if (kind === DIRECTORY_KINDS.signature) {
      const { hash } = parseDetached(document);
      const note = this.document(DIRECTORY_KINDS.consensus, hash) ?? nothing;
      const { text, epoch } = parseConsensus(textOfNote(fromUtf8(note)));
      if (!this.store.holds(text)) this.premature.push(text);
      add(this.signatures, epoch, hash);
    }
    if (kind === DIRECTORY_KINDS.vote) {
      const note = fromUtf8(document);
      const { author, epoch, digest } = parseVote(textOfNote(note));
      if (!this.store.holds(note)) this.premature.push(note);
      if (author === verifierKeyOf(this.key)) add(this.votes, epoch, digest);
    }
  }

  #peer(other: SimulatedAuthority, life: AbortSignal): DirectorySource {
    return {
      name: other.name,
      fetch: async (kind, digest, signal) => {
        this.onStep();
        life.throwIfAborted();
        await this.#travel(this, other, signal);
        const document = await other.respond(kind, digest, this.name);
        await this.#travel(other, this, signal);
        this.onStep();
        life.throwIfAborted();
        return document;
      },
    };
  }

  async #travel(
    from: SimulatedAuthority,
    to: SimulatedAuthority,
    signal: AbortSignal,
  ): Promise<void> {
    const { passage, time } = this.#network;
    const ms = passage(from.name, to.name);
    await time.sleepUntil(ms === 'lost' ? Infinity : time.nowMs + ms, signal);
  }
}

function isOf({ authorities }: Policy, { key }: SimulatedAuthority): boolean {
  return authorities.some(({ verifier }) => verifier.name === key.name);
}

function add(sets: Map<number, Set<string>>, epoch: number, hash: Uint8Array): void {
  sets.set(epoch, (sets.get(epoch) ?? new Set()).add(toHex(hash)));
}

/** A log that holds as many leaves as there have been slots; here it is only to be the same for all. */
function testLogAfter(previous: Consensus | undefined): LogHead {
  const entries = entriesThrough(previous);
  return { origin: 'sotto/regtest', size: entries.length, root: logRoot(entries.map(leafHash)) };
}

/** By the hash of each consensus: those of all before it and its own. */
const logs = new Map<string, readonly Uint8Array[]>();

/** The log that ends with this consensus, of whose predecessors each was asked for before. */
export function entriesThrough(consensus: Consensus | undefined): readonly Uint8Array[] {
  if (consensus === undefined) return [];
  const { hash, prev } = consensus;
  const entries = [...(logs.get(toHex(prev)) ?? []), hash];
  logs.set(toHex(hash), entries);
  return entries;
}
