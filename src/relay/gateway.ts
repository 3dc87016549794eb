import type { Clock } from '../base/clock.ts';
import { equalBytes } from '../base/bytes.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { DirectoryView } from '../directory/directory-view.ts';
import { BusyError, CallQueue } from './call-queue.ts';
import { openCell, type OpenedCell } from './cell.ts';
import type { Circuit } from './circuits.ts';
import type { EpochKeys } from './epoch-keys.ts';
import { encodeAnswer, encodeQuota } from './frame-payload.ts';
import type { Frame } from './frame.ts';
import type { GatewayHandler } from './gateway-handler.ts';
import { Hold } from '../io/hold.ts';
import { MAX_SKEW_MINUTES } from './limits.ts';
import type { Link } from './link.ts';
import { decodeRequest, encodeReply, type Reply, type Request } from './message.ts';
import type { NodeIdentity } from './node-identity.ts';
import type { Observe } from './observation.ts';
import { outerAnswer } from './outer-answer.ts';
import { type InnerCode, type OuterCode, RelayError } from './relay-error.ts';
import type { RelayLimits } from './relay-limits.ts';
import { ReplayCache } from './replay-cache.ts';

export interface GatewayOptions {
  readonly identity: NodeIdentity;
  readonly epochKeys: Pick<EpochKeys, 'keyFor'>;
  readonly directory: DirectoryView;
  readonly handler: GatewayHandler;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: RelayLimits;
  readonly observe?: Observe;
}

/** One link of a relay. */
export interface GatewayPeer {
  readonly link: Link;
  readonly circuit: Circuit;
}

interface SignedReply {
  readonly reply: Reply;
  /** Of the consensus that the client goes by, when it could be read: 16 bytes. */
  readonly consensusHash: Uint8Array | undefined;
}

interface Outgoing {
  readonly link: Link;
  readonly frame: Frame;
}

/** Unless the consensus says otherwise. */
const DEFAULT_TICK_MS = 250;
/** What a relay waits after it was told OVERLOAD. */
const RETRY_SECONDS = 1;

/** Opens cells and answers them (spec/relay.md section 8.1); never learns who asked. */
export class Gateway implements AsyncDisposable {
  readonly #options: GatewayOptions;
  readonly #seen: ReplayCache;
  readonly #calls: CallQueue;
  readonly #answers: Hold<Outgoing>;

  constructor(options: GatewayOptions) {
    const { clock, limits } = options;
    this.#options = options;
    this.#seen = new ReplayCache({ clock });
    this.#calls = new CallQueue({
      running: limits.targetCalls,
      waiting: limits.waitingCalls,
      timeoutMs: limits.operationMs,
    });
    this.#answers = new Hold({
      clock,
      release: (outgoing) => {
        for (const { link, frame } of outgoing) link.send(frame);
      },
    });
  }

  /** Tells a relay its quota. */
  welcome(peer: GatewayPeer): void {
    this.#sendQuota(peer.link, 0);
  }

  /** Takes an IN. Each is answered by one OUT; the steps are those of spec/relay.md section 8.1. */
  take(peer: GatewayPeer, { id, payload: cell }: Frame): void {
    const { identity, handler } = this.#options;
    const send = (payload: Uint8Array): void => {
      this.#release(peer.link, { type: 'OUT', id, payload });
    };
    const opened = this.#open(peer, cell);
    if (typeof opened === 'string') {
      send(outerAnswer(identity, { code: opened, cell }));
      return;
    }
    const said = requestOf(opened.plaintext);
    const reply = (answer: Reply): void => {
      const body = this.#seal(opened, { reply: answer, consensusHash: said?.consensusHash });
      send(encodeAnswer({ status: 'OK', body }));
    };
    const request = this.#accept(opened, said);
    if (typeof request === 'string') {
      reply(withoutTip(request));
      return;
    }
    const { op, args } = request;
    this.#options.observe?.({ role: 'gateway', circuit: peer.circuit.name, op, args });
    this.#calls
      .run((signal) => handler({ op, args }, { signal }))
      .then(reply)
      .catch((error: unknown) => {
        if (!(error instanceof BusyError)) {
          this.#options.log.warn('an operation failed', { op, reason: messageOf(error) });
        }
        reply(withoutTip('BUSY'));
      });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#answers.clear();
    return Promise.resolve();
  }

  /** The steps that cost little come first. The length was checked with the frame. */
  #open(peer: GatewayPeer, cell: Uint8Array): OpenedCell | OuterCode {
    if (!peer.circuit.relayed.cells.take()) {
      this.#sayOverload(peer);
      return 'OVERLOAD';
    }
    try {
      // Suite and key id, then whether `enc` was seen, then the opening.
      return openCell({
        cell,
        nodeId: this.#options.identity.nodeId,
        keyFor: (keyId) => this.#options.epochKeys.keyFor(keyId),
        seen: (enc) => this.#seen.has(enc),
      });
    } catch (error) {
      return outerCodeOfError(error);
    }
  }

  #accept(opened: OpenedCell, request: Request | undefined): Request | InnerCode {
    if (request === undefined) return 'BAD_REQUEST';
    const skew = Math.abs(Math.floor(this.#options.clock() / 60_000) - request.minute);
    if (skew > MAX_SKEW_MINUTES) return 'TIME_SKEW';
    // Only now, so that what was not sealed for now does not fill the cache.
    if (!this.#seen.add(opened.enc, request.minute)) return 'BUSY';
    return this.#knowsConsensus(request.consensusHash) ? request : 'DIRECTORY_MISMATCH';
  }

  #seal(opened: OpenedCell, { reply, consensusHash }: SignedReply): Uint8Array {
    const { nodeId, replyKey } = this.#options.identity;
    const sign = (message: Uint8Array): Uint8Array => replyKey.sign(message, consensusHash);
    return opened.sealReply(encodeReply({ reply, sign, nodeId, request: opened.plaintext }));
  }

  /** At the next tick, so that the relay cannot tell a quick answer from a heavy one. */
  #release(link: Link, frame: Frame): void {
    const now = this.#options.clock();
    const tickMs = this.#options.directory.current()?.params.get('tick-ms') ?? DEFAULT_TICK_MS;
    const at = tickMs === 0 ? now : (Math.floor(now / tickMs) + 1) * tickMs;
    this.#answers.add({ link, frame }, at);
  }

  /** The current consensus or the one before: clients of older ones would be a crowd apart. */
  #knowsConsensus(hash: Uint8Array): boolean {
    const consensus = this.#options.directory.current();
    if (consensus === undefined) return false;
    return [consensus.hash, consensus.prev].some((known) =>
      equalBytes(known.subarray(0, 16), hash),
    );
  }

  #sayOverload(peer: GatewayPeer): void {
    if (peer.circuit.relayed.refusals.take()) this.#sendQuota(peer.link, RETRY_SECONDS);
    else peer.link.close('flood', 'went on after OVERLOAD');
  }

  #sendQuota(link: Link, retry: number): void {
    const payload = encodeQuota({ ...this.#options.limits.gatewayQuota, retry });
    link.send({ type: 'QUOTA', id: 0, payload });
  }
}

/** The reply to a request for which the target was not asked. */
function withoutTip(code: InnerCode): Reply {
  return { code, tipHeight: 0, tipHash: new Uint8Array(32), body: null };
}

function requestOf(plaintext: Uint8Array): Request | undefined {
  try {
    return decodeRequest(plaintext);
  } catch (error) {
    if (error instanceof RelayError) return undefined;
    throw error;
  }
}

function outerCodeOfError(error: unknown): OuterCode {
  if (error instanceof RelayError) {
    const { code } = error;
    if (code === 'KEY_UNKNOWN' || code === 'REPLAY' || code === 'OPEN_FAILED') return code;
  }
  throw error;
}
