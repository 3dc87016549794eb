import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { firstFailure, Scope } from '../base/lifecycle.ts';
import type { Logger } from '../base/log.ts';
import { makePrivateDirectory } from '../io/durable-file.ts';
import type { ChainBackend } from './chain-backend.ts';
import { startControl } from './control.ts';
import { startCoreChain } from './core-chain.ts';
import { startEmbeddedChain } from './embedded-chain.ts';

export interface DevnetOptions {
  /** In memory, or bitcoind with Fulcrum or electrs from PATH. */
  readonly chain: 'embedded' | 'core';
  /** Of the Electrum server; with `core` always 127.0.0.1. */
  readonly host: string;
  /** Of the Electrum server; 0 picks a free one. */
  readonly port: number;
  /** Private; holds the control socket and, with `core`, the data of the programs. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Gives up the start. */
  readonly signal: AbortSignal;
}

export interface Devnet extends ChainBackend {
  /** Of the unix socket that `askControl` talks to. */
  readonly controlPath: string;
}

/** Always the same, so that every embedded devnet has the same miner. */
const SEED = new Uint8Array(32);

export function controlPathIn(directory: string): string {
  return join(directory, 'control.sock');
}

/**
 * Starts a chain, its Electrum server and its control socket.
 * @throws UserError when a program is missing, or a devnet already runs in the directory.
 */
export async function startDevnet(options: DevnetOptions): Promise<Devnet> {
  const { chain, host, port, directory, clock, log } = options;
  await using scope = new Scope();
  await makePrivateDirectory(directory);
  const backend = scope.use(
    chain === 'core'
      ? await startCoreChain(options)
      : await startEmbeddedChain({ seed: SEED, clock, host, port, log }),
  );
  const controlPath = controlPathIn(directory);
  const control = scope.use(await startControl({ backend, path: controlPath, log }));
  const running = scope.move();
  return {
    ...backend,
    controlPath,
    failed: firstFailure(backend, control),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}
