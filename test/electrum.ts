import { execFile } from 'node:child_process';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { z } from 'zod';
import { Scope } from '../src/base/lifecycle.ts';
import { startChild } from '../src/io/child-process.ts';
import { type Address, formatAddress } from '../src/io/dial.ts';
import { makePrivateDirectory, writeDurably } from '../src/io/durable-file.ts';
import { findProgram } from '../src/io/find-program.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';

/** Electrum on regtest, unmodified, with one wallet, driven as its own command line drives it. */
export interface Electrum extends AsyncDisposable {
  /** @throws with Electrum's own words when it does not do it. */
  command(name: string, params?: Readonly<Record<string, unknown>>): Promise<unknown>;
}

export interface ElectrumOptions {
  readonly seed: string;
  /** An onion, or a port of this machine. */
  readonly server: Address;
  /** Where tor takes connections. */
  readonly proxy?: Address;
  /** The words of a command line that Electrum's own follow, given its directory: `electrum` unless given. */
  readonly program?: (directory: string) => readonly [string, ...string[]];
  /** Aborts the start only. */
  readonly signal: AbortSignal;
}

const ANSWER = z.union([
  z.object({ error: z.object({ message: z.string() }) }),
  z.object({ result: z.unknown() }),
]);
const RPC = { rpcuser: 'test', rpcpassword: 'test' };
const LOADING_MS = 60_000;

/** Without it, what only wallets need is not worth its start. */
export const hasElectrum = (await findProgram('electrum')) !== undefined;

/** A test that says in its title that it is skipped where there is no Electrum. */
export function walletTest(title: string, run: () => Promise<void>): void {
  test.skipIf(!hasElectrum)(
    hasElectrum ? title : `SKIPPED because electrum is not on PATH: ${title}`,
    run,
  );
}

/** Restores the seed and starts Electrum's daemon with that wallet open. */
export async function startElectrum(options: ElectrumOptions): Promise<Electrum> {
  const { seed, server, proxy, program = () => ['electrum'] as const, signal } = options;
  await using starting = new Scope();
  const { path: directory } = starting.use(await makeTemporaryDirectory());
  const home = join(directory, 'regtest');
  await makePrivateDirectory(home);
  const config = {
    // Without it Electrum takes the settings for old ones and changes them.
    config_version: 3,
    ...RPC,
    dont_show_testnet_warning: true,
    oneserver: true,
    auto_connect: false,
    server: `${formatAddress(server)}:t`,
    ...(proxy && { proxy: `socks5:${formatAddress(proxy)}` }),
  };
  await writeDurably(join(home, 'config'), JSON.stringify(config));
  const flags = ['--regtest', '-D', directory];
  const [command, ...words] = program(directory);
  const restore = [...words, 'restore', '--offline', ...flags, seed];
  await promisify(execFile)(command, restore, { signal });
  starting.use(
    await startChild({
      command,
      args: [...words, 'daemon', ...flags],
      signal,
      stopTimeoutMs: 10_000,
    }),
  );
  const socketPath = join(home, 'daemon_rpc_socket');
  const order: Electrum['command'] = (method, params = {}) => call(socketPath, { method, params });
  await waitUntil(() => order('load_wallet').catch(() => undefined), {
    what: 'Electrum to load its wallet',
    timeoutMs: LOADING_MS,
    intervalMs: 100,
    signal,
  });
  const started = starting.move();
  return {
    command: order,
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

async function call(socketPath: string, request: object): Promise<unknown> {
  const options = { socketPath, method: 'POST', auth: `${RPC.rpcuser}:${RPC.rpcpassword}` };
  const answer = await new Promise<string>((resolve, reject) => {
    httpRequest(options, (reply) => void text(reply).then(resolve, reject))
      .on('error', reject)
      .end(JSON.stringify({ id: 0, ...request }));
  });
  const parsed = ANSWER.parse(JSON.parse(answer));
  if ('error' in parsed) throw new Error(parsed.error.message);
  return parsed.result;
}
