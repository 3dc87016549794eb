import { join } from 'node:path';
import * as z from 'zod';
import { toHex } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { firstFailure, Scope } from '../base/lifecycle.ts';
import type { Logger } from '../base/log.ts';
import { BitcoinRpcError, type RpcClient } from '../bitcoin/rpc-client.ts';
import { findProgram } from '../io/find-program.ts';
import { findFreePorts } from '../io/free-ports.ts';
import { startReaper } from '../io/reaper.ts';
import { type ChainBackend, FIRST_BLOCKS } from './chain-backend.ts';
import { startCoreDaemon } from './core-daemon.ts';
import { startCoreElectrum } from './core-electrum.ts';
import { awaitTip, awaitTransactions, type Core, tipOf } from './core-follow.ts';
import { replaceBlocks } from './core-reorg.ts';

export interface CoreChainOptions {
  /** Private, and empty or from an earlier run; removed by its owner. */
  readonly directory: string;
  /** Of the Electrum server on 127.0.0.1; 0 picks a free one. */
  readonly port: number;
  readonly log: Logger;
  /** Gives up the start, and the calls that are under way. */
  readonly signal: AbortSignal;
}

const WALLET = 'devnet';
const HASH = z.string().regex(/^[0-9a-f]{64}$/);
/** bitcoind mines them well within the time that a call may take. */
const BLOCKS_IN_CALL = 500;
const ELECTRUM_START_MS = 120_000;

/**
 * bitcoind and Fulcrum or electrs from PATH, in regtest, on free ports of 127.0.0.1.
 * @throws UserError when one of them is missing.
 */
export async function startCoreChain(options: CoreChainOptions): Promise<ChainBackend> {
  const { directory, log, signal } = options;
  const programs = await findPrograms();
  await using scope = new Scope();
  const reaper = scope.use(await startReaper());
  const daemon = scope.use(
    await startCoreDaemon({
      command: programs.bitcoind,
      directory: join(directory, 'bitcoind'),
      signal,
      reaper,
    }),
  );
  const { rpc } = daemon;
  await openWallet(rpc, signal);
  // Without a recent block bitcoind says that it is still downloading, and no server starts.
  await generate({ rpc, blocks: FIRST_BLOCKS, signal });
  const listen = { host: '127.0.0.1', port: await portOf(options) };
  const electrum = scope.use(
    await startCoreElectrum({
      command: programs.electrum,
      daemon,
      directory: join(directory, 'electrum'),
      listen,
      signal,
      reaper,
    }),
  );
  const core = { rpc, listen, signal };
  await Promise.race([awaitTip(core, ELECTRUM_START_MS), daemon.child.failed, electrum.failed]);
  log.info('bitcoind and the Electrum server answer', { port: listen.port });
  const running = scope.move();
  return {
    ...chainCalls(core),
    electrum: listen,
    failed: firstFailure(daemon.child, electrum),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

function chainCalls(
  core: Core,
): Omit<ChainBackend, 'electrum' | 'failed' | typeof Symbol.asyncDispose> {
  const { rpc, signal } = core;
  return {
    tip: () => tipOf(core),
    mine: async (blocks) => {
      await generate({ rpc, blocks, signal });
      return await awaitTip(core);
    },
    pay: async (address, sats) => {
      const params = [address, btc(sats)];
      const txid = await inWords(
        rpc.call({ method: 'sendtoaddress', params, result: HASH, signal }),
      );
      await awaitTransactions(core, [txid]);
      return txid;
    },
    reorg: async (depth) => {
      await replaceBlocks(core, depth);
      const tip = await awaitTip(core);
      const result = z.array(HASH);
      await awaitTransactions(core, await rpc.call({ method: 'getrawmempool', result, signal }));
      return tip;
    },
    broadcast: async (raw) => {
      const params = [toHex(raw)];
      const txid = await inWords(
        rpc.call({ method: 'sendrawtransaction', params, result: HASH, signal }),
      );
      await awaitTransactions(core, [txid]);
      return txid;
    },
  };
}

async function findPrograms(): Promise<{ readonly bitcoind: string; readonly electrum: string }> {
  const bitcoind = await findProgram('bitcoind');
  if (bitcoind === undefined) {
    throw new UserError('bitcoind is not on PATH', {
      hint: 'Install Bitcoin Core from bitcoincore.org, or use the embedded chain.',
    });
  }
  const electrum = await findProgram('Fulcrum', 'electrs');
  if (electrum === undefined) {
    throw new UserError('neither Fulcrum nor electrs is on PATH', {
      hint: 'Install one of them, for example from github.com/cculianu/Fulcrum/releases, or use the embedded chain.',
    });
  }
  return { bitcoind, electrum };
}

async function portOf({ port }: CoreChainOptions): Promise<number> {
  if (port !== 0) return port;
  const [free = 0] = await findFreePorts(1);
  return free;
}

/** Makes the wallet, or loads the one of an earlier run. */
async function openWallet(rpc: RpcClient, signal: AbortSignal): Promise<void> {
  const call = { params: [WALLET], result: z.unknown(), signal };
  try {
    await rpc.call({ method: 'createwallet', ...call });
  } catch (error) {
    if (!(error instanceof BitcoinRpcError)) throw error;
    await rpc.call({ method: 'loadwallet', ...call });
  }
}

async function generate(options: {
  readonly rpc: RpcClient;
  readonly blocks: number;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { rpc, blocks, signal } = options;
  const address = await rpc.call({ method: 'getnewaddress', result: z.string(), signal });
  for (let left = blocks; left > 0; left -= BLOCKS_IN_CALL) {
    const params = [Math.min(left, BLOCKS_IN_CALL), address];
    await rpc.call({ method: 'generatetoaddress', params, result: z.array(HASH), signal });
  }
}

/** The exact decimal that bitcoind takes for bitcoins. */
function btc(sats: bigint): string {
  return `${sats / 100_000_000n}.${String(sats % 100_000_000n).padStart(8, '0')}`;
}

/** bitcoind's refusals of what was asked are for the operator. */
async function inWords<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof BitcoinRpcError)) throw error;
    throw new UserError(`bitcoind refuses: ${error.message}`, { cause: error });
  }
}
