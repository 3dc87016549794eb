import { setMaxListeners } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { concatBytes } from '../base/bytes.ts';
import type { DirectoryKind } from '../directory/directory-view.ts';
import type { NodeId } from '../directory/node-id.ts';
import {
  type Answer,
  decodeAnswer,
  decodePart,
  decodeTaken,
  encodeDirectoryGet,
  encodeForward,
  encodeHeadersGet,
  encodePut,
  type Taken,
} from './frame-payload.ts';
import type { Frame, FrameType } from './frame.ts';
import { helloOf, type LinkNetwork } from './hello.ts';
import { HEADER_BYTES, MAX_PUT_BYTES, PART_BYTES } from './limits.ts';
import { LinkError } from './link-error.ts';
import { Link, type LinkTiming } from './link.ts';
import { Turnstile } from './turnstile.ts';

export interface RelayLinkOptions {
  /** An open stream to the relay; the link owns it. */
  readonly stream: Duplex;
  readonly network: LinkNetwork;
  /** Of the consensus that this client goes by, when it has one: 32 bytes, of which 16 are said. */
  readonly consensusHash?: Uint8Array;
  readonly clock: Clock;
  readonly limits?: Partial<RelayLinkLimits>;
  /** Told with the relay's HELLO how many links of clients it says it had then, roughly. */
  readonly onClients?: (clients: number) => void;
}

export interface ConnectRelayOptions extends RelayLinkOptions {
  readonly signal: AbortSignal;
}

export interface RelayLinkLimits {
  /** More wait for their turn: relays refuse a client with more. */
  readonly cellsInFlight: number;
  /** Until a BACK: longer than the 30 s after which an honest relay tells a failure. */
  readonly forwardMs: number;
  readonly headersMs: number;
  readonly directoryMs: number;
  /** An authority may look for the node at its onion before it answers. */
  readonly putMs: number;
  /** Questions given up without an answer; with more, the relay is not worth its link. */
  readonly unanswered: number;
  /**
   * When nothing at all came for so long after a question, and one is given up, the stream is taken for
   * dead: an honest relay says sooner that a gateway is silent. A machine that slept has such streams.
   */
  readonly silentMs: number;
  readonly timing: LinkTiming;
}

const DEFAULT_LIMITS: RelayLinkLimits = {
  cellsInFlight: 64,
  forwardMs: 60_000,
  headersMs: 60_000,
  directoryMs: 300_000,
  putMs: 120_000,
  unanswered: 64,
  silentMs: 45_000,
  timing: { helloMs: 30_000, idleMs: Infinity, stallMs: 60_000 },
};

export interface RequestOptions {
  readonly signal: AbortSignal;
}

/**
 * A client's link to one relay. Every request rejects with LinkError `no-answer` when its time is
 * over, with the link's own LinkError when that ends, and with the signal's reason when aborted.
 */
export interface RelayLink extends AsyncDisposable {
  /** `cell`: 2048 bytes; the body of the answer: 4096. An outer code is what a node claims. */
  forward(request: { nodeId: NodeId; cell: Uint8Array; signal: AbortSignal }): Promise<Answer>;
  /** Up to `count` (1 to 2016) headers of 80 bytes; fewer when the relay has no more. */
  headers(start: number, count: number, options: RequestOptions): Promise<Uint8Array>;
  /**
   * A note, at most 8 MiB or `maxBytes`, to the next part; empty when the relay does not hold it.
   * `digest`: 32 bytes.
   */
  directory(
    kind: DirectoryKind,
    digest: Uint8Array,
    options: RequestOptions & { readonly maxBytes?: number },
  ): Promise<Uint8Array>;
  /**
   * Brings an authority something (spec/directory.md section 16). `kind`: one of `PUT_KINDS`; `bytes`:
   * 1 to 65,536. Relays close the link on it.
   */
  put(kind: number, bytes: Uint8Array, options: RequestOptions): Promise<Taken>;
  /** Why the link ended, once it has. */
  readonly closed: Promise<LinkError>;
}

/**
 * A link at once: the first questions leave with our HELLO, which saves a round trip. They fail with
 * LinkError `hello` when the relay says none.
 */
export function openRelayLink(options: RelayLinkOptions): RelayLink {
  return new AskingLink(options, () => undefined);
}

/**
 * Resolves when the relay has said HELLO.
 * @throws LinkError when the link ends before; the signal's reason when aborted.
 */
export async function connectRelay(options: ConnectRelayOptions): Promise<RelayLink> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
      options.stream.destroy();
    };
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    const asking = new AskingLink(options, () => {
      signal.removeEventListener('abort', abort);
      resolve(asking);
    });
    void asking.closed.then((reason) => {
      signal.removeEventListener('abort', abort);
      reject(reason);
    });
  });
}

interface Question<T> {
  readonly type: FrameType;
  /** One frame each, one after the other under one id. */
  readonly payloads: readonly Uint8Array[];
  readonly answerType: FrameType;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Takes one frame of the answer; the answer when it was the last. */
  readonly read: (payload: Uint8Array) => T | undefined;
}

/** Stays until the answer is complete, also when nobody waits for it any more. */
interface Pending {
  readonly answerType: FrameType;
  /** True when the answer is complete. */
  take(payload: Uint8Array): boolean;
  fail(reason: LinkError): void;
}

/** Cells to be passed on now have none. */
const NO_MAILBOX = new Uint8Array(16);

class AskingLink implements RelayLink {
  readonly closed: Promise<LinkError>;
  readonly #limits: RelayLinkLimits;
  readonly #link: Link;
  readonly #cells: Turnstile;
  readonly #pending = new Map<number, Pending>();
  readonly #clock: Clock;
  /** When the first question was asked of those that nothing at all came after. */
  #silentSince: number | undefined;
  #unanswered = 0;
  #lastId = 0;

  constructor(options: RelayLinkOptions, onReady: () => void) {
    const { stream, network, consensusHash, clock } = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#clock = clock;
    this.#cells = new Turnstile(this.#limits.cellsInFlight);
    const consensus = consensusHash === undefined ? undefined : { hash: consensusHash };
    let ended: (reason: LinkError) => void;
    this.closed = new Promise((resolve) => (ended = resolve));
    this.#link = new Link({
      stream,
      hello: helloOf({ network, capabilities: 0, consensus }),
      answers: false,
      clock,
      timing: this.#limits.timing,
      onHello: ({ clients }) => {
        options.onClients?.(clients);
        onReady();
      },
      onFrame: (frame) => {
        this.#take(frame);
      },
      onClose: (reason) => {
        for (const pending of this.#pending.values()) pending.fail(reason);
        this.#pending.clear();
        ended(reason);
      },
    });
  }

  async forward(request: {
    nodeId: NodeId;
    cell: Uint8Array;
    signal: AbortSignal;
  }): Promise<Answer> {
    const { nodeId, cell, signal } = request;
    allowMany(signal);
    await this.#cells.enter(signal);
    try {
      return await this.#ask({
        type: 'FORWARD',
        payloads: [encodeForward({ nodeId, release: 0, mailbox: NO_MAILBOX, cell })],
        answerType: 'BACK',
        timeoutMs: this.#limits.forwardMs,
        signal,
        read: decodeAnswer,
      });
    } finally {
      this.#cells.leave();
    }
  }

  headers(start: number, count: number, { signal }: RequestOptions): Promise<Uint8Array> {
    return this.#ask({
      type: 'HEADERS_GET',
      payloads: [encodeHeadersGet({ start, count })],
      answerType: 'HEADERS',
      timeoutMs: this.#limits.headersMs,
      signal,
      read: (payload) => {
        if (payload.length <= count * HEADER_BYTES) return payload;
        throw new LinkError('protocol', 'more headers than asked for');
      },
    });
  }

  directory(
    kind: DirectoryKind,
    digest: Uint8Array,
    { signal, maxBytes }: RequestOptions & { readonly maxBytes?: number },
  ): Promise<Uint8Array> {
    const held: Uint8Array[] = [];
    let parts: number | undefined;
    return this.#ask({
      type: 'DIRECTORY_GET',
      payloads: [encodeDirectoryGet({ kind, digest })],
      answerType: 'DIRECTORY_DATA',
      timeoutMs: this.#limits.directoryMs,
      signal,
      read: (payload) => {
        const { part, of, data } = decodePart(payload, maxBytes);
        if (part !== held.length || of !== (parts ??= of)) {
          throw new LinkError('protocol', 'parts out of order');
        }
        held.push(data);
        return held.length < of ? undefined : concatBytes(...held);
      },
    });
  }

  put(kind: number, bytes: Uint8Array, { signal }: RequestOptions): Promise<Taken> {
    return this.#ask({
      type: 'DIRECTORY_PUT',
      payloads: putPayloads(kind, bytes),
      answerType: 'DIRECTORY_TAKEN',
      timeoutMs: this.#limits.putMs,
      signal,
      read: decodeTaken,
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#link.close('closed', 'this end closed the link');
    return Promise.resolve();
  }

  #ask<T>({ type, payloads, answerType, timeoutMs, signal, read }: Question<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#link.ended !== undefined) {
        reject(this.#link.ended);
        return;
      }
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const id = this.#freshId();
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      };
      let givenUp = false;
      const giveUp = (error: Error): void => {
        givenUp = true;
        settle();
        reject(error);
        this.#countUnanswered();
      };
      const abort = (): void => {
        giveUp(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        giveUp(new LinkError('no-answer', `no ${answerType} in time`));
      }, timeoutMs);
      allowMany(signal);
      signal.addEventListener('abort', abort, { once: true });
      this.#pending.set(id, {
        answerType,
        take: (part) => {
          const answer = read(part);
          if (answer === undefined) return false;
          settle();
          if (givenUp) this.#unanswered -= 1;
          resolve(answer);
          return true;
        },
        fail: (error) => {
          settle();
          reject(error);
        },
      });
      this.#silentSince ??= this.#clock();
      for (const payload of payloads) this.#link.send({ type, id, payload });
    });
  }

  #take({ type, id, payload }: Frame): void {
    this.#silentSince = undefined;
    const pending = this.#pending.get(id);
    if (pending?.answerType !== type) throw new LinkError('protocol', `${type} nobody asked for`);
    if (pending.take(payload)) this.#pending.delete(id);
  }

  #countUnanswered(): void {
    this.#unanswered += 1;
    const { unanswered, silentMs } = this.#limits;
    const silent = this.#clock() - (this.#silentSince ?? Infinity);
    if (silent >= silentMs) this.#link.close('no-answer', 'the relay is silent');
    if (this.#unanswered <= unanswered) return;
    this.#link.close('no-answer', 'the relay leaves too much unanswered');
  }

  #freshId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }
}

function putPayloads(kind: number, bytes: Uint8Array): Uint8Array[] {
  if (bytes.length === 0 || bytes.length > MAX_PUT_BYTES) {
    throw new RangeError('1 to 65,536 bytes can be put');
  }
  const of = Math.ceil(bytes.length / PART_BYTES);
  return Array.from({ length: of }, (_, part) => {
    const data = bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
    return encodePut({ kind, part, of, data });
  });
}

/** One signal may stop the lookups of a whole wallet: more listeners than node takes for a leak. */
function allowMany(signal: AbortSignal): void {
  setMaxListeners(0, signal);
}
