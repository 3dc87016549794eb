import { randomBytes } from 'node:crypto';
import { fromHex, toHex } from '../base/bytes.ts';
import { messageOf } from '../base/errors.ts';
import { addressOfScript } from '../bitcoin/address.ts';
import { type Network } from '../bitcoin/networks.ts';
import { parseTransaction, type Transaction } from '../bitcoin/transaction.ts';
import { type NodeId } from '../directory/node-id.ts';
import { readTransaction } from '../electrum/check-in-block.ts';
import { type ElectrumClient } from '../electrum/client.ts';
import { type ChainTip, type HeaderChain } from '../electrum/header-chain.ts';
import { type HistoryItem } from '../electrum/history-status.ts';
import { foldBranch } from '../electrum/merkle.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { ElectrumRpcError } from '../electrum/rpc-error.ts';
import { scriptHashOf } from '../electrum/script-hash.ts';
import { type AskedScripts, SCRIPTS_KEPT } from './asked-scripts.ts';
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
  /** Keeps what was drawn. */
  readonly asked: Pick<AskedScripts, 'of' | 'keep'>;
  /** A whole number from 0 to under its argument. */
  readonly random: (below: number) => number;
}

interface CallOptions {
  readonly signal: AbortSignal;
}

/** One of so many questions is about a new script, so that each is asked about for ten days on average. */
const NEW_ONE_IN = 64;
/** Three years of blocks, of which the newer are drawn more often: what wallets of today ask about. */
const RECENT_BLOCKS = 157_680;
const UNIT = 2 ** 40;
/** An address of a wallet has few transactions, and so the answer to most questions is one cell. */
const MAX_ITEMS = 32;
const DRAWS = 128;

/**
 * What gateways are asked: the histories of addresses in blocks of the last years, each gateway of a few of its
 * own, the same ones again and again. So the questions are those of a wallet.
 */
export class KnownScripts {
  readonly #options: KnownScriptsOptions;

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
   * Whether the verified chain has a transaction of a known history, and it pays or spends the script: the target
   * is not believed.
   * @throws as `draw`.
   */
  isProved(item: HistoryItem, known: KnownHistory, options: CallOptions): Promise<boolean> {
    return fromTarget(() => this.#isProved(item, known, options), options);
  }

  async #draw(gateway: NodeId, options: CallOptions): Promise<KnownHistory> {
    const { asked, random } = this.#options;
    const held = new Map(asked.of(gateway));
    const any = (): string => [...held.keys()][random(held.size)] ?? '';
    if (held.size === SCRIPTS_KEPT && random(NEW_ONE_IN) > 0) {
      const chosen = any();
      const known = await unlessRefused(this.#read(chosen, options));
      if (known !== undefined && known.items.length <= MAX_ITEMS) return known;
      held.delete(chosen);
    }
    const known = await this.#new(options);
    if (held.size === SCRIPTS_KEPT) held.delete(any());
    asked.keep(gateway, held.set(known.scriptHash, held.get(known.scriptHash) ?? []));
    return known;
  }

  async #isProved(
    { txid, height }: HistoryItem,
    known: KnownHistory,
    { signal }: CallOptions,
  ): Promise<boolean> {
    const { client, chain } = this.#options;
    const method = 'blockchain.transaction.get_merkle';
    const { merkle, pos } = await client.call(method, { tx_hash: txid, height }, { signal });
    try {
      const root = foldBranch({ txid, position: pos, branch: merkle });
      if (root !== chain.headerAt(height)?.merkleRoot) return false;
      return await this.#touches(known, await this.#transaction(txid, { signal }), { signal });
    } catch (error) {
      if (error instanceof ProofError) return false;
      throw error;
    }
  }

  /** Whether it pays the script, or spends an output that does: its inputs name the bytes of what they spend. */
  async #touches(
    { scriptHash, items }: KnownHistory,
    { inputs, outputs }: Transaction,
    options: CallOptions,
  ): Promise<boolean> {
    const isOurs = ({ script }: Transaction['outputs'][number]): boolean =>
      scriptHashOf(script) === scriptHash;
    if (outputs.some(isOurs)) return true;
    const ofScript = new Set(items.map(({ txid }) => txid));
    const spent = inputs.filter(({ txid }) => ofScript.has(txid));
    for (const txid of new Set(spent.map((input) => input.txid))) {
      const paying = await this.#transaction(txid, options);
      const places = spent.filter((input) => input.txid === txid).map(({ vout }) => vout);
      if (paying.outputs.some((output, vout) => places.includes(vout) && isOurs(output)))
        return true;
    }
    return false;
  }

  async #transaction(txid: string, { signal }: CallOptions): Promise<Transaction> {
    const call = { tx_hash: txid, verbose: false };
    const raw = await this.#options.client.call('blockchain.transaction.get', call, { signal });
    if (typeof raw !== 'string') throw new ProofError('not-a-transaction', 'no bytes');
    return readTransaction(fromHex(raw), txid);
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
