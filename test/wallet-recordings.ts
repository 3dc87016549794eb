/** One line that a wallet sends, and how long it waits for the reply before it gives up. */
export interface RecordedLine {
  readonly line: string;
  readonly withinMs: number;
}

type Params = readonly unknown[];
interface Item {
  readonly id: number | string;
  readonly method: string;
  readonly params?: Params;
}

/** Without `params` where there are none, as Electrum 4.3.4 writes it. */
export function electrumLine(id: number, method: string, ...params: Params): string {
  return JSON.stringify({ jsonrpc: '2.0', method, id, ...(params.length > 0 && { params }) });
}

/** Electrum 4.3.4 from connecting to a loaded wallet, over TCP and without a proxy. */
export function electrumStart(): readonly RecordedLine[] {
  const lines = [
    electrumLine(0, 'server.version', 'electrum/4.3.4', '1.4'),
    electrumLine(1, 'blockchain.headers.subscribe'),
    ...[25, 10, 5, 2].map((target, index) =>
      electrumLine(2 + index, 'blockchain.estimatefee', target),
    ),
    electrumLine(6, 'server.banner'),
    electrumLine(7, 'server.donation_address'),
    electrumLine(8, 'server.peers.subscribe'),
    electrumLine(9, 'blockchain.relayfee'),
    electrumLine(10, 'mempool.get_fee_histogram'),
  ];
  return lines.map((line) => ({ line, withinMs: 30_000 }));
}

/** Sparrow waits longer with each attempt: this is the last of its time-outs. */
const SPARROW_MS = 34_000;
const SPARROW_MS_EACH = 50;

function sparrowBatch(items: readonly Item[]): RecordedLine {
  const batch = items.map(({ id, method, params = [] }) => ({
    id,
    method,
    params,
    jsonrpc: '2.0',
  }));
  return { line: JSON.stringify(batch), withinMs: SPARROW_MS + SPARROW_MS_EACH * items.length };
}

function sparrowLine(item: Item): RecordedLine {
  return { line: JSON.stringify({ jsonrpc: '2.0', ...item }), withinMs: SPARROW_MS };
}

export function sparrowStart(): readonly RecordedLine[] {
  return [
    sparrowLine({ id: 1, method: 'server.version', params: ['Sparrow', ['1.3', '1.4.2']] }),
    sparrowLine({ id: 2, method: 'server.features' }),
    sparrowLine({ id: 3, method: 'blockchain.headers.subscribe' }),
    sparrowLine({ id: 4, method: 'server.banner' }),
    sparrowBatch(
      [1, 2, 3, 4, 5, 10, 25, 50].map((target) => ({
        id: target,
        method: 'blockchain.estimatefee',
        params: [target],
      })),
    ),
    sparrowLine({ id: 5, method: 'mempool.get_fee_histogram' }),
    sparrowLine({ id: 6, method: 'blockchain.relayfee' }),
  ];
}

/** Ids are the paths of the keys: text. */
export function sparrowScripts(method: string, scriptHashes: readonly string[]): RecordedLine {
  return sparrowBatch(
    scriptHashes.map((scriptHash, index) => ({ id: `m/0/${index}`, method, params: [scriptHash] })),
  );
}

/** Ids are the txids. */
export function sparrowTransactions(txids: readonly string[]): RecordedLine {
  return sparrowBatch(
    txids.map((txid) => ({ id: txid, method: 'blockchain.transaction.get', params: [txid] })),
  );
}

/** Ids are the heights. */
export function sparrowHeaders(heights: readonly number[]): RecordedLine {
  return sparrowBatch(
    heights.map((height) => ({ id: height, method: 'blockchain.block.header', params: [height] })),
  );
}

/** What its "test connection" sends on a connection of its own. */
export function blueWalletTest(): readonly RecordedLine[] {
  return [
    blueWalletLine(0, 'server.version', '2.7.11', '1.4'),
    blueWalletLine(1, 'server.ping'),
  ].map((line) => ({ line, withinMs: 5_000 }));
}

export function blueWalletStart(): readonly RecordedLine[] {
  return [
    blueWalletLine(0, 'server.version', 'bluewallet', '1.4'),
    blueWalletLine(1, 'blockchain.headers.subscribe'),
  ].map((line) => ({ line, withinMs: 10_000 }));
}

export function blueWalletFees(): readonly RecordedLine[] {
  return [
    blueWalletLine(2, 'mempool.get_fee_histogram'),
    ...[1, 18, 144].map((target) => blueWalletLine(3, 'blockchain.estimatefee', target)),
  ].map((line) => ({ line, withinMs: 15_000 }));
}

function blueWalletLine(id: number, method: string, ...params: Params): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params, id });
}

/** Numbers as ids, counted on over the life of the connection. */
export function blueWalletBatch(method: string, params: readonly Params[]): RecordedLine {
  const batch = params.map((each, index) => ({
    jsonrpc: '2.0',
    method,
    params: each,
    id: 100 + index,
  }));
  return { line: JSON.stringify(batch), withinMs: 30_000 };
}
