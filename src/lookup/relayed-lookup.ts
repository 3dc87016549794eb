import { type Clock } from '../base/clock.ts';
import { type Scope } from '../base/lifecycle.ts';
import { type Logger } from '../base/log.ts';
import { type Network } from '../bitcoin/networks.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type NodeId } from '../directory/node-id.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { decodeFeesBody, type FeeEstimate } from '../query/bodies.ts';
import { type Aim, Asker, type Ways } from './ask.ts';
import { type BondChecks, type Choice } from './bond-checks.ts';
import { type ConsensusSource, currentConsensus } from './consensus-source.ts';
import { LookupError, NOBODY } from './fault.ts';
import { type FaultLog } from './fault-log.ts';
import { combineFees } from './fee-rates.ts';
import { fetchHistory, type Put } from './fetch-history.ts';
import { fetchTransaction } from './fetch-transaction.ts';
import { type HeaderView } from './header-view.ts';
import {
  type Exposure,
  type FeeRate,
  type Lookup,
  type LookupCallOptions,
  type VerifiedHeaders,
  type VerifiedHistory,
  type FoundTransaction,
} from './lookup.ts';
import { readBody } from './read-body.ts';
import { type Claimed, refutationOf } from './refutation.ts';
import { type Purpose, type RelayPool } from './relay-pool.ts';
import { type BroadcastPace, spreadTransaction } from './spread-transaction.ts';
import { type StickyChoices } from './sticky-choices.ts';
import { Turns } from './turns.ts';
import { checkTipAge, verifyHistory, verifyTransaction } from './verify-history.ts';

export interface RelayedLookupOptions {
  readonly network: Network;
  readonly consensus: ConsensusSource;
  readonly choices: StickyChoices;
  readonly bonds: BondChecks;
  readonly pool: RelayPool;
  readonly headers: HeaderView;
  readonly faults: FaultLog;
  readonly pace: BroadcastPace;
  readonly clock: Clock;
  readonly log: Logger;
  /** What ends with the lookup. */
  readonly scope: Scope;
}

/** When the consensus has no parameter `poll-mean-s`. */
const POLL_MEAN_S = 14_400;
const FEE_GATEWAYS = 5;
const MIN_FEE_ANSWERS = 2;
/** How often a gateway is asked anew when it and the relays are on different branches. */
const MAX_READINGS = 2;

/** Asks the gateways of the network, each address at its own, through relays. */
export class RelayedLookup implements Lookup {
  readonly #options: RelayedLookupOptions;
  readonly #asker: Asker;

  constructor(options: RelayedLookupOptions) {
    this.#options = options;
    this.#asker = new Asker({
      ...options,
      turns: new Turns(),
      onFault: (fault) => {
        options.faults.add(fault);
      },
    });
  }

  get faults(): readonly LookupError[] {
    return this.#options.faults.entries;
  }

  get headers(): VerifiedHeaders {
    return this.#options.headers;
  }

  get pollMeanMs(): number {
    const params = this.#options.consensus.current()?.params;
    return Math.max(1, params?.get('poll-mean-s') ?? POLL_MEAN_S) * 1000;
  }

  exposure(): Exposure {
    const { choices, consensus, pool } = this.#options;
    return choices.exposure({
      consensus: consensus.current(),
      clientsOf: ({ onion }) => pool.clientsOf(onion),
    });
  }

  async history(scriptHash: string, { signal }: LookupCallOptions): Promise<VerifiedHistory> {
    const { choices, headers } = this.#options;
    const aim = this.#aim('lookup', signal, {
      newcomers: (consensus) => choices.newGateway(scriptHash, consensus),
      choose: (consensus) => choices.waysFor(scriptHash, consensus),
    });
    const put: Put = (query) => this.#asker.ask(query, aim, signal);
    const history = await this.#believed({
      fetch: () => fetchHistory(scriptHash, put),
      verify: ({ claim, tip, relay, evidence }) => {
        const nodeId = evidence[0]?.nodeId ?? '';
        const source = { kind: 'gateway', nodeId, relay } as const;
        return { ...verifyHistory(claim, headers), tip, source };
      },
      signal,
    });
    await choices.saved;
    return history;
  }

  async transaction(txid: string, { signal }: LookupCallOptions): Promise<FoundTransaction> {
    const { choices, headers } = this.#options;
    const choose = (consensus: Consensus): Ways => choices.waysForTransaction(txid, consensus);
    const aim = this.#aim('lookup', signal, unkept(choose));
    const put: Put = (query) => this.#asker.ask(query, aim, signal);
    return this.#believed({
      fetch: () => fetchTransaction({ op: 'TX', txid, height: 0 }, { put }),
      verify: ({ raw, proof }) =>
        verifyTransaction({ txid, height: proof?.height ?? 0, raw, proof }, headers),
      signal,
    });
  }

  async broadcast(raw: Uint8Array, { signal }: LookupCallOptions): Promise<string> {
    const { choices, bonds, consensus, pace } = this.#options;
    return spreadTransaction(raw, {
      gateways: choices.gatewaysWithoutAddresses(bonds.judge(currentConsensus(consensus))),
      putAt: (nodeId, query, until) =>
        this.#asker.ask(query, this.#aimAt(nodeId, 'broadcast', until), until),
      pace,
      signal,
    });
  }

  async fees({ signal }: LookupCallOptions): Promise<readonly FeeRate[]> {
    const { choices, bonds, consensus } = this.#options;
    const gateways = choices
      .anyGateways(bonds.judge(currentConsensus(consensus)))
      .slice(0, FEE_GATEWAYS);
    const asked = await Promise.allSettled(gateways.map((nodeId) => this.#feesOf(nodeId, signal)));
    signal.throwIfAborted();
    const estimates = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    if (estimates.length >= MIN_FEE_ANSWERS) return combineFees(estimates);
    for (const one of asked) {
      const failure: unknown = one.status === 'rejected' ? one.reason : undefined;
      if (failure instanceof LookupError && failure.code === 'headers-unavailable') throw failure;
    }
    throw new LookupError(
      'too-few-fee-answers',
      `Only ${estimates.length} of ${gateways.length} gateways told their fee estimates.`,
      { culprit: NOBODY },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.scope[Symbol.asyncDispose]();
    await this.#options.choices.saved;
  }

  async #feesOf(nodeId: NodeId, signal: AbortSignal): Promise<readonly FeeEstimate[]> {
    const answer = await this.#asker.ask(
      { op: 'FEES' },
      this.#aimAt(nodeId, 'fees', signal),
      signal,
    );
    return readBody(answer, decodeFeesBody);
  }

  #aimAt(nodeId: NodeId, purpose: Purpose, signal: AbortSignal): Aim {
    const choose = (consensus: Consensus): Ways => this.#options.choices.waysTo(nodeId, consensus);
    return this.#aim(purpose, signal, unkept(choose));
  }

  #aim(purpose: Purpose, signal: AbortSignal, choice: Choice<Ways>): Aim {
    const { bonds } = this.#options;
    return {
      purpose,
      ways: (consensus) => bonds.chosen(choice, { consensus, purpose, signal }),
    };
  }

  /** What a gateway claims as of a block, once that block is in the chain and `verify` has passed. */
  async #believed<C extends Claimed, T>({ fetch, verify, signal }: Believing<C, T>): Promise<T> {
    const { headers, network, clock } = this.#options;
    for (let reading = 1; ; reading++) {
      const claimed = await fetch();
      try {
        const header = await headers.reach(claimed.tip, signal);
        checkTipAge(header, { network, now: clock() });
        return verify(claimed);
      } catch (error) {
        if (!(error instanceof ProofError)) throw error;
        if (error.code === 'unknown-tip' && reading < MAX_READINGS) continue;
        throw refutationOf(error, claimed, headers.tip);
      }
    }
  }
}

/** For one question: what would be chosen is looked at, and chosen, by the same rule. */
function unkept(choose: (consensus: Consensus) => Ways): Choice<Ways> {
  return {
    newcomers: (consensus) => {
      const { gateway, relays } = choose(consensus);
      return [{ node: gateway, relays }];
    },
    choose,
  };
}

interface Believing<C extends Claimed, T> {
  readonly fetch: () => Promise<C>;
  /** Throws ProofError. */
  readonly verify: (claimed: C) => T;
  readonly signal: AbortSignal;
}
