import { randomBytes } from 'node:crypto';
import { BoundedCache } from '../base/bounded-cache.ts';
import { fromHex, toHex } from '../base/bytes.ts';
import { messageOf } from '../base/errors.ts';
import { addressOfScript } from '../bitcoin/address.ts';
import { type Network } from '../bitcoin/networks.ts';
import { parseTransaction } from '../bitcoin/transaction.ts';
import { MAX_NODES } from '../directory/limits.ts';
import { type NodeId } from '../directory/node-id.ts';
import { type ElectrumClient } from '../electrum/client.ts';
import { type ChainTip, type HeaderChain } from '../electrum/header-chain.ts';
import { type HistoryItem } from '../electrum/history-status.ts';
import { foldBranch } from '../electrum/merkle.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { ElectrumRpcError } from '../electrum/rpc-error.ts';
import { scriptHashOf } from '../electrum/script-hash.ts';
import { ProbeError } from './probe-error.ts';

/** The history of a script as the authority's own target has it. */
export interface KnownHistory {
  readonly scriptHash: string;
  /** It is complete up to this block at least. */
  readonly tip: ChainTip;
  readonly items: readonly HistoryItem[];
}

export interface KnownScriptsOptions {
  readonly network: Network;
  readonly client: Pick<ElectrumClient, 'call'>;
  readonly chain: Pick<HeaderChain, 'tip' | 'headerAt'>;
  /** A whole number from 0 to under its argument. */
  readonly random: (below: number) => number;
}

interface CallOptions {
  readonly signal: AbortSignal;
}

/** For each gateway, as a wallet has several addresses at one. */
const SCRIPTS = 4;
/** One of so many questions is about a new script. */
const NEW_ONE_IN = 8;
/** Three years of blocks, of which the newer are drawn more often: what wallets of today ask about. */
const RECENT_BLOCKS = 157_680;
const UNIT = 2 ** 40;
/** An address of a wallet has few transactions, and so the answer to most questions is one cell. */
const MAX_ITEMS = 32;
const DRAWS = 128;
const MAX_HELD = SCRIPTS * MAX_NODES;

/**
 * What gateways are asked: the histories of addresses in blocks of the last years, each gateway of a few of its
 * own, the same ones again and again. So the questions are those of a wallet.
 */
export class KnownScripts {
  readonly #options: KnownScriptsOptions;
  readonly #held = new BoundedCache<readonly string[]>(MAX_HELD, ({ length }) => length);

  constructor(options: KnownScriptsOptions) {
    this.#options = options;
  }

  /**
   * A script to ask a gateway about.
   * @throws ProbeError `unclear` when the target does not answer; the signal's reason.
   */
  draw(gateway: NodeId, options: CallOptions): Promise<KnownHistory> {
    return fromTarget(() => this.#draw(gateway, options), options);
  }

  /**
   * Whether the verified chain has a transaction of a known history: the target is not believed.
   * @throws as `draw`.
   */
  isProved(item: HistoryItem, options: CallOptions): Promise<boolean> {
    return fromTarget(() => this.#isProved(item, options), options);
  }

  async #draw(gateway: NodeId, options: CallOptions): Promise<KnownHistory> {
    const { random } = this.#options;
    let held = this.#held.get(gateway) ?? [];
    if (held.length === SCRIPTS && random(NEW_ONE_IN) > 0) {
      const chosen = held[random(SCRIPTS)] ?? '';
      const known = await unlessRefused(this.#read(chosen, options));
      if (known !== undefined && known.items.length <= MAX_ITEMS) return known;
      held = held.filter((each) => each !== chosen);
    }
    const known = await this.#new(options);
    const dropped = held.length < SCRIPTS ? undefined : held[random(SCRIPTS)];
    const kept = held.filter((each) => each !== dropped && each !== known.scriptHash);
    this.#held.set(gateway, [...kept, known.scriptHash]);
    return known;
  }

  async #isProved({ txid, height }: HistoryItem, { signal }: CallOptions): Promise<boolean> {
    const { client, chain } = this.#options;
    const method = 'blockchain.transaction.get_merkle';
    const { merkle, pos } = await client.call(method, { tx_hash: txid, height }, { signal });
    try {
      const root = foldBranch({ txid, position: pos, branch: merkle });
      return root === chain.headerAt(height)?.merkleRoot;
    } catch (error) {
      if (error instanceof ProofError) return false;
      throw error;
    }
  }

  /** On a chain that hardly anybody uses, a script that nobody has used. */
  async #new(options: CallOptions): Promise<KnownHistory> {
    for (let draw = 0; draw < DRAWS; draw += 1) {
      const known = await unlessRefused(this.#any(options));
      if (known !== undefined && known.items.length <= MAX_ITEMS) return known;
    }
    return this.#read(toHex(randomBytes(32)), options);
  }

  /** Of an output in a block; undefined when that is the miner's only, or no address. */
  async #any({ signal }: CallOptions): Promise<KnownHistory | undefined> {
    const { network, client, chain, random } = this.#options;
    const { height: newest } = chain.tip;
    const age = (random(UNIT) / UNIT) ** 3 * (Math.min(newest, RECENT_BLOCKS) + 1);
    const height = newest - Math.floor(age);
    const txid = await this.#anyTransaction(height, { signal });
    if (txid === undefined) return undefined;
    const call = { tx_hash: txid, verbose: false };
    const raw = await client.call('blockchain.transaction.get', call, { signal });
    if (typeof raw !== 'string') return undefined;
    const { outputs } = parseTransaction(fromHex(raw));
    const output = outputs[random(outputs.length)];
    if (output === undefined || addressOfScript(output.script, network) === undefined) {
      return undefined;
    }
    return this.#read(scriptHashOf(output.script), { signal });
  }

  async #anyTransaction(height: number, options: CallOptions): Promise<string | undefined> {
    const { client, random } = this.#options;
    const first = { height, tx_pos: 0, merkle: true };
    const coinbase = await client.call('blockchain.transaction.id_from_pos', first, options);
    const depth = typeof coinbase === 'string' ? 0 : coinbase.merkle.length;
    if (depth === 0) return undefined;
    // More than half of the places at this depth are taken, all of the first half.
    return (
      (await unlessRefused(this.#transactionAt(height, random(2 ** depth), options))) ??
      (await this.#transactionAt(height, random(2 ** (depth - 1)), options))
    );
  }

  async #transactionAt(height: number, position: number, options: CallOptions): Promise<string> {
    const { client } = this.#options;
    const place = { height, tx_pos: position, merkle: false };
    const txid = await client.call('blockchain.transaction.id_from_pos', place, options);
    return typeof txid === 'string' ? txid : txid.tx_hash;
  }

  async #read(scriptHash: string, options: CallOptions): Promise<KnownHistory> {
    const { client, chain } = this.#options;
    const { tip } = chain;
    const script = { scripthash: scriptHash };
    const items = await client.call('blockchain.scripthash.get_history', script, options);
    return {
      scriptHash,
      tip,
      items: items.map(({ tx_hash: txid, height }) => ({ txid, height })),
    };
  }
}

/** Undefined when the target refuses: there is nothing at that place, or too much. */
async function unlessRefused<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ElectrumRpcError) return undefined;
    throw error;
  }
}

async function fromTarget<T>(work: () => Promise<T>, { signal }: CallOptions): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    signal.throwIfAborted();
    const why = `the target of this authority gives no question: ${messageOf(cause)}`;
    throw new ProbeError('unclear', why, { cause });
  }
}
