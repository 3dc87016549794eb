import { z } from 'zod';
import type { Running } from '../base/lifecycle.ts';
import { type Address, parseAddress } from '../io/dial.ts';
import type { Reaper } from '../io/reaper.ts';
import type { ChainBackend } from './chain-backend.ts';
import { askControl, type ControlCommand, type ControlResult } from './control.ts';
import { controlPathIn } from './devnet.ts';
import { startProgram } from './program.ts';

export interface DevnetChainOptions {
  /** Private; holds the control socket. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly reaper: Reaper;
}

/** A chain in a process of its own, as `sotto devnet` runs it. */
export interface DevnetChain extends Running, Pick<ChainBackend, 'mine' | 'pay'> {
  readonly electrum: Address;
}

const readyLine = z.object({ electrum: z.string() });

/** Runs `sotto devnet`, so that the chain does not share a processor with who measures. */
export async function startDevnetChain(options: DevnetChainOptions): Promise<DevnetChain> {
  const { directory, signal, reaper } = options;
  const program = await startProgram({
    file: 'cli/main.js',
    args: ['devnet', '--port', '0', '--directory', directory, '--json'],
    ready: readyLine,
    signal,
    reaper,
  });
  const ask = (command: ControlCommand): Promise<ControlResult> =>
    askControl(controlPathIn(directory), command, signal);
  return {
    electrum: parseAddress(program.ready.electrum),
    failed: program.failed,
    mine: (blocks) => ask({ command: 'mine', blocks }),
    pay: async (address, sats) => {
      const { txid } = await ask({ command: 'pay', address, sats: Number(sats) });
      if (txid === undefined) throw new Error('a payment has a txid');
      return txid;
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}
