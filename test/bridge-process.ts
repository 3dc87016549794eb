import process from 'node:process';
import { unlessAborted } from '../src/base/unless-aborted.ts';
import { askStatus, type BridgeReport, statusSocketIn } from '../src/bridge/status-socket.ts';
import { startChild } from '../src/io/child-process.ts';
import { type Address, formatAddress } from '../src/io/dial.ts';
import { signalGroup } from '../src/io/process-group.ts';
import { programPath } from '../src/io/program-path.ts';
import type { Reaper } from '../src/io/reaper.ts';

export interface BridgeProcessOptions {
  /** `--direct` or `--relayed`, with what belongs to it. */
  readonly way: readonly string[];
  readonly listen: Address;
  /** Of a tor. */
  readonly socks: Address;
  /** Where the bridge keeps what it knows. */
  readonly state: string;
  readonly signal: AbortSignal;
  readonly reaper: Reaper;
}

/** `sotto bridge` in a process of its own. */
export interface BridgeProcess extends AsyncDisposable {
  /** All that it has printed, logs included. */
  readonly words: readonly string[];
  status(): Promise<BridgeReport>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

const STOP_TIMEOUT_MS = 10_000;

/** Starts a bridge on regtest; it is ready for wallets when this resolves. */
export async function startBridgeProcess(options: BridgeProcessOptions): Promise<BridgeProcess> {
  const { way, listen, socks, state, signal, reaper } = options;
  const words: string[] = [];
  let onReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    onReady = resolve;
  });
  const child = await startChild({
    command: process.execPath,
    args: [
      programPath('cli/main.js'),
      ...['bridge', ...way, '--listen', formatAddress(listen), '--socks', formatAddress(socks)],
      ...['--state', state, '--log-level', 'debug', '--json'],
    ],
    onLine: (line, from) => {
      words.push(line);
      if (from === 'stdout') onReady();
    },
    signal,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    reaper,
  });
  const failed = child.failed.catch((cause: unknown): never => {
    throw new Error(`the bridge ended by itself:\n${words.join('\n')}`, { cause });
  });
  failed.catch(() => undefined);
  try {
    await unlessAborted(Promise.race([ready, failed]), signal);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return {
    words,
    async status() {
      const report = await askStatus(statusSocketIn(state), signal);
      if (report === undefined) throw new Error('a bridge that is ready has a status');
      return report;
    },
    async kill() {
      signalGroup(child.pid, 'SIGKILL');
      await child.exited;
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
