import { join } from 'node:path';
import * as z from 'zod';
import { fromUtf8 } from '../base/bytes.ts';
import { Scope } from '../base/lifecycle.ts';
import { renderRegtestConf } from '../bitcoin/regtest-conf.ts';
import { BitcoinRpcError, RPC_IN_WARMUP, RpcClient } from '../bitcoin/rpc-client.ts';
import { type Child, startChild } from '../io/child-process.ts';
import { type Address, DialError } from '../io/dial.ts';
import { makePrivateDirectory, readIfPresent, writeDurably } from '../io/durable-file.ts';
import { findFreePorts } from '../io/free-ports.ts';
import type { Reaper } from '../io/reaper.ts';
import { waitUntil } from '../io/wait-until.ts';

export interface CoreDaemonOptions {
  /** The path of bitcoind. */
  readonly command: string;
  /** Private; removed by its owner. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly reaper: Reaper;
}

export interface CoreDaemon extends AsyncDisposable {
  readonly child: Child;
  readonly rpc: RpcClient;
  readonly rpcAddress: Address;
  readonly p2pAddress: Address;
  /** bitcoind writes its password there at each start. */
  readonly cookiePath: string;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 100;
const RPC_TIMEOUT_MS = 30_000;

/** Starts bitcoind in regtest on free ports of 127.0.0.1; it answers when this resolves. */
export async function startCoreDaemon(options: CoreDaemonOptions): Promise<CoreDaemon> {
  const { command, directory, signal, reaper } = options;
  await using scope = new Scope();
  await makePrivateDirectory(directory);
  const [rpcPort = 0, p2pPort = 0, zmqPort = 0] = await findFreePorts(3);
  const confPath = join(directory, 'bitcoin.conf');
  await writeDurably(confPath, renderRegtestConf({ rpcPort, p2pPort, zmqPort }));
  const child = scope.use(
    await startChild({
      command,
      args: [`-datadir=${directory}`, `-conf=${confPath}`, '-printtoconsole=0'],
      signal,
      stopTimeoutMs: STOP_TIMEOUT_MS,
      reaper,
    }),
  );
  const rpcAddress = { host: '127.0.0.1', port: rpcPort };
  const cookiePath = join(directory, 'regtest', '.cookie');
  const rpc = new RpcClient({
    address: rpcAddress,
    credentials: () => readCookie(cookiePath),
    timeoutMs: RPC_TIMEOUT_MS,
  });
  await Promise.race([awaitAnswer(rpc, signal), child.failed]);
  const running = scope.move();
  return {
    child,
    rpc,
    rpcAddress,
    p2pAddress: { host: '127.0.0.1', port: p2pPort },
    cookiePath,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** Without a cookie bitcoind has not come far enough to answer. */
async function readCookie(path: string): Promise<string> {
  const cookie = await readIfPresent(path);
  if (cookie === undefined) throw new DialError('bitcoind has not written its cookie yet');
  return fromUtf8(cookie).trim();
}

async function awaitAnswer(rpc: RpcClient, signal: AbortSignal): Promise<void> {
  await waitUntil(
    async () => {
      try {
        return await rpc.call({ method: 'getblockcount', result: z.int(), signal });
      } catch (error) {
        const starting =
          error instanceof DialError ||
          (error instanceof BitcoinRpcError && error.code === RPC_IN_WARMUP);
        if (starting) return undefined;
        throw error;
      }
    },
    { what: 'bitcoind to answer', timeoutMs: START_TIMEOUT_MS, intervalMs: POLL_MS, signal },
  );
}
