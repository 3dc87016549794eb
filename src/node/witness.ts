import { setTimeout as sleep } from 'node:timers/promises';
import { equalBytes, utf8 } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { entriesFrom } from '../directory/consensus-log.ts';
import type { Consensus } from '../directory/consensus.ts';
import { cosign } from '../directory/cosignature.ts';
import type { DirectorySource } from '../directory/directory-client.ts';
import { renderEvidenceNotice } from '../directory/evidence-notice.ts';
import type { NodeId } from '../directory/node-id.ts';
import { witnessesOf, witnessName } from '../directory/witnesses.ts';
import { PUT_KINDS } from '../relay/frame-payload.ts';
import type { ReplySigner } from '../relay/node-identity.ts';
import type { DirectoryPeer } from './directory-peer.ts';
import type { NodeDirectory } from './node-directory.ts';
import type { NodeLog } from './node-log.ts';

export interface WitnessOptions {
  readonly nodeId: NodeId;
  readonly signer: ReplySigner;
  readonly directory: Pick<NodeDirectory, 'current' | 'consensuses'>;
  readonly nodeLog: NodeLog;
  readonly authorities: readonly DirectoryPeer[];
  /** Whom to ask for entries of the log that are missing. */
  readonly sources: (consensus: Consensus) => readonly DirectorySource[];
  readonly clock: Clock;
  readonly log: Logger;
  /** How often it is looked whether there is a newer consensus. */
  readonly lookMs?: number;
}

const LOOK_MS = 1000;
/** How often in the time for which a consensus is fresh the authorities are asked, or told again. */
const ASKS = 24;
const ASK_MS = 120_000;

/** What is to be brought to the authorities, and who has taken or refused it. */
interface Errand {
  readonly kind: number;
  readonly bytes: Uint8Array;
  readonly settled: Set<DirectoryPeer>;
}

/**
 * Cosigns the log that ends with each consensus that the node accepts, and gathers what the others said
 * of it, for clients to ask. With evidence of a fork it cosigns nothing, and tells the authorities.
 */
export function startWitness(options: WitnessOptions): AsyncDisposable {
  const stop = new AbortController();
  const witness = new Witness(options);
  const running = witness.run(stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

class Witness {
  readonly #options: WitnessOptions;
  #followed: Consensus | undefined;
  #errand: Errand | undefined;
  #isToldOfFork = false;
  #nextMs = 0;

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { lookMs = LOOK_MS, log } = this.#options;
    while (!signal.aborted) {
      try {
        if (this.#isDue()) await this.#step(signal);
      } catch (error) {
        log.warn('the log is not cosigned', { reason: messageOf(error) });
      }
      await sleep(lookMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #isDue(): boolean {
    const { directory, nodeLog, clock } = this.#options;
    const isNews = nodeLog.evidence.fork
      ? !this.#isToldOfFork
      : directory.current() !== this.#followed;
    return isNews || clock() >= this.#nextMs;
  }

  async #step(signal: AbortSignal): Promise<void> {
    const { directory, nodeLog, clock } = this.#options;
    const newest = directory.consensuses()[0];
    if (newest === undefined) return;
    this.#nextMs = clock() + ((newest.freshUntil - newest.validAfter) * 1000) / ASKS;
    if (nodeLog.evidence.fork !== undefined) this.#tellOfFork();
    else if (newest.log !== undefined && newest !== this.#followed) await this.#follow(newest);
    await this.#bring(signal);
    await this.#gather(signal);
  }

  async #follow(newest: Consensus): Promise<void> {
    const { nodeLog, sources } = this.#options;
    const asked = sources(newest).map(entriesFrom);
    nodeLog.checkpoints.follow(newest, await nodeLog.consensusLog.headAfter(newest, asked));
    this.#errand = this.#cosigned(newest);
    this.#followed = newest;
  }

  /** Undefined when the consensus before does not name this node as a witness. */
  #cosigned(newest: Consensus): Errand | undefined {
    const { nodeId, signer, directory, nodeLog, clock } = this.#options;
    const before = directory.consensuses().find(({ hash }) => equalBytes(hash, newest.prev));
    const name = witnessName(nodeId);
    const witness = before && witnessesOf(before).find((each) => each.name === name);
    const text = nodeLog.checkpoints.newest?.text;
    if (witness === undefined || text === undefined) return undefined;
    const key = {
      publicKey: witness.key.bytes,
      sign: (message: Uint8Array) => signer.sign(message, before?.hash),
    };
    const line = cosign(text, { name, key }, Math.floor(clock() / 1000));
    const bytes = utf8(`${text}\n${line}\n`);
    nodeLog.checkpoints.take(bytes);
    return { kind: PUT_KINDS.cosignature, bytes, settled: new Set() };
  }

  #tellOfFork(): void {
    if (this.#isToldOfFork) return;
    const bytes = utf8(renderEvidenceNotice(this.#options.nodeId));
    this.#errand = { kind: PUT_KINDS.evidence, bytes, settled: new Set() };
    this.#isToldOfFork = true;
  }

  async #gather(signal: AbortSignal): Promise<void> {
    await this.#withEach(signal, (authority, until) =>
      this.#options.nodeLog.checkpoints.gatherFrom(authority, until),
    );
  }

  async #bring(signal: AbortSignal): Promise<void> {
    const errand = this.#errand;
    if (errand === undefined) return;
    const { kind, bytes, settled } = errand;
    await this.#withEach(signal, async (authority, until) => {
      if (settled.has(authority)) return;
      const { verdict, text } = await authority.put(kind, bytes, until);
      if (verdict !== 'later') settled.add(authority);
      if (verdict !== 'taken') throw new Error(text);
    });
  }

  async #withEach(
    signal: AbortSignal,
    work: (authority: DirectoryPeer, until: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { authorities, log } = this.#options;
    const until = AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]);
    await Promise.all(
      authorities.map((authority) =>
        work(authority, until).catch((error: unknown) => {
          if (signal.aborted) return;
          const reason = messageOf(error);
          log.info('the log cannot be told of to an authority', { peer: authority.name, reason });
        }),
      ),
    );
  }
}
