import * as z from 'zod';
import { MAX_BRANCH } from './merkle.ts';
import { compareVersions, VERSION_ARGUMENT, type ProtocolVersion } from './protocol-version.ts';

/** The longest list of headers that one reply holds. */
export const MAX_HEADERS = 2016;
/** The longest line a client sends: the largest standard transaction in hex has room. */
export const MAX_REQUEST_BYTES = 1_000_000;
/** The longest line a server sends. */
export const MAX_REPLY_BYTES = 8_100_000;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const hex = z
  .string()
  .regex(/^[0-9a-f]*$/)
  .refine((text) => text.length % 2 === 0, 'an odd number of hex characters');
const header = hex.length(160);
const count = z.int().min(0);
const height = z.int().min(0).max(0x7fff_ffff);
const satoshis = z.int();
const branch = z.array(hash).max(MAX_BRANCH);
/** Bitcoins for 1000 virtual bytes; -1 when the server cannot say. */
const feeRate = z.number();
const noParams = z.object({});
const script = z.object({ scripthash: hash });

const mempoolItem = z.object({ height: z.int().min(-1).max(0), tx_hash: hash, fee: satoshis });
const historyItem = z.object({ height: z.int().min(-1), tx_hash: hash, fee: satoshis.optional() });
const status = hash.nullable();
const tip = z.object({ hex: header, height });

/**
 * The methods of the Electrum protocol. Parameters stand in the order of their positions; a server
 * fills in those that are missing, a client sends them all. A method is known from `since` and
 * before `until`; `notification` is what the server sends by itself after a subscription.
 * Source: Electrum protocol documentation, versions 1.4 to 1.6.
 */
export const ELECTRUM_METHODS = {
  'server.version': {
    params: z.object({
      client_name: z.string().default(''),
      protocol_version: VERSION_ARGUMENT.default('1.4'),
    }),
    result: z.tuple([z.string(), z.string()]),
  },
  'server.features': {
    params: noParams,
    result: z.looseObject({
      genesis_hash: hash,
      protocol_min: z.string(),
      protocol_max: z.string(),
      server_version: z.string(),
      hash_function: z.string().optional(),
      pruning: z.int().nullish(),
      hosts: z.record(z.string(), z.unknown()).optional(),
    }),
  },
  'server.banner': { params: noParams, result: z.string() },
  'server.donation_address': { params: noParams, result: z.string().nullable() },
  'server.peers.subscribe': { params: noParams, result: z.array(z.unknown()) },
  'server.ping': { params: noParams, result: z.null() },
  'blockchain.headers.subscribe': {
    params: noParams,
    result: tip,
    notification: z.tuple([tip]),
  },
  'blockchain.block.header': {
    params: z.object({ height, cp_height: height.default(0) }),
    result: z.union([header, z.object({ header, branch, root: hash })]),
  },
  'blockchain.block.headers': {
    params: z.object({ start_height: height, count, cp_height: height.default(0) }),
    /** `headers` from 1.6 on, `hex` (all in one) before; a proof of the last when cp_height is given. */
    result: z.object({
      count,
      max: count,
      hex: hex.max(160 * MAX_HEADERS).optional(),
      headers: z.array(header).max(MAX_HEADERS).optional(),
      root: hash.optional(),
      branch: branch.optional(),
    }),
  },
  'blockchain.estimatefee': {
    params: z.object({ number: z.int().min(1), mode: z.string().nullish() }),
    result: feeRate,
  },
  'blockchain.relayfee': { params: noParams, result: feeRate, until: '1.6' },
  'mempool.get_info': {
    params: noParams,
    result: z.object({
      mempoolminfee: feeRate,
      minrelaytxfee: feeRate,
      incrementalrelayfee: feeRate,
    }),
    since: '1.6',
  },
  'mempool.get_fee_histogram': {
    params: noParams,
    /** Satoshis for a virtual byte, falling, and how many virtual bytes pay that or more. */
    result: z.array(z.tuple([z.number().min(0), z.number().min(0)])),
  },
  'blockchain.scripthash.subscribe': {
    params: script,
    result: status,
    notification: z.tuple([hash, status]),
  },
  'blockchain.scripthash.unsubscribe': {
    params: script,
    result: z.boolean(),
    since: '1.4.2',
  },
  'blockchain.scripthash.get_history': { params: script, result: z.array(historyItem) },
  'blockchain.scripthash.get_mempool': { params: script, result: z.array(mempoolItem) },
  'blockchain.scripthash.get_balance': {
    params: script,
    result: z.object({ confirmed: satoshis, unconfirmed: satoshis }),
  },
  'blockchain.scripthash.listunspent': {
    params: script,
    result: z.array(z.object({ tx_hash: hash, tx_pos: count, height, value: satoshis.min(0) })),
  },
  'blockchain.transaction.get': {
    params: z.object({ tx_hash: hash, verbose: z.boolean().default(false) }),
    /** Hex, or what bitcoind's getrawtransaction says when verbose. */
    result: z.union([hex, z.record(z.string(), z.unknown())]),
  },
  'blockchain.transaction.get_merkle': {
    params: z.object({ tx_hash: hash, height }),
    result: z.object({ block_height: height, merkle: branch, pos: count }),
  },
  'blockchain.transaction.id_from_pos': {
    params: z.object({ height, tx_pos: count, merkle: z.boolean().default(false) }),
    result: z.union([hash, z.object({ tx_hash: hash, merkle: branch })]),
  },
  'blockchain.transaction.broadcast': { params: z.object({ raw_tx: hex }), result: hash },
  'blockchain.transaction.broadcast_package': {
    params: z.object({ raw_txs: z.array(hex).max(100), verbose: z.boolean().default(false) }),
    result: z.looseObject({
      success: z.boolean(),
      errors: z.array(z.looseObject({ txid: z.string(), error: z.string() })).optional(),
    }),
    since: '1.6',
  },
} as const satisfies Readonly<Record<string, ElectrumMethodSpec>>;

interface ElectrumMethodSpec {
  readonly params: z.ZodObject;
  readonly result: z.ZodType;
  readonly notification?: z.ZodType;
  readonly since?: ProtocolVersion;
  readonly until?: ProtocolVersion;
}

type Methods = typeof ELECTRUM_METHODS;

export type ElectrumMethod = keyof Methods;

/** The parameters of each method by name, as a caller writes them. */
export type ElectrumParams = { [M in ElectrumMethod]: z.input<Methods[M]['params']> };

/** The parameters of each method by name, as a server's handler gets them. */
export type ElectrumArguments = { [M in ElectrumMethod]: z.output<Methods[M]['params']> };

export type ElectrumResults = { [M in ElectrumMethod]: z.output<Methods[M]['result']> };

/** The parameters of the notifications that follow a subscription. */
export type ElectrumNotifications = {
  [
    M in ElectrumMethod as Methods[M] extends { notification: z.ZodType } ? M : never
  ]: Methods[M] extends { notification: infer N extends z.ZodType } ? z.output<N> : never;
};

export function isElectrumMethod(name: string): name is ElectrumMethod {
  return Object.hasOwn(ELECTRUM_METHODS, name);
}

/** Whether a version of the protocol has the method. */
export function isSpokenIn(method: ElectrumMethod, version: ProtocolVersion): boolean {
  const { since, until }: ElectrumMethodSpec = ELECTRUM_METHODS[method];
  return (
    (since === undefined || compareVersions(version, since) >= 0) &&
    (until === undefined || compareVersions(version, until) < 0)
  );
}
