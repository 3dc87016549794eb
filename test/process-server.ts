import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { Scope } from '../src/base/lifecycle.ts';
import { PORTS_IN_A_ROW } from '../src/config/stack-config.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { findMarkedProcesses } from '../src/io/marked-processes.ts';
import { type Reaper, startReaper } from '../src/io/reaper.ts';
import { type ProgramOutput, runProgram } from '../src/io/run-program.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import type { ServiceState } from '../src/stack/backend.ts';
import { type Home, homeAt } from '../src/stack/home.ts';
import { PACKAGE_ROOT } from '../src/stack/package-root.ts';
import { askSupervisor } from '../src/stack/process/control.ts';
import { controlSocketOf, markOf } from '../src/stack/process/run-files.ts';
import { parseAuthPrivate } from '../src/tor/client-authorization.ts';
import { type PrivateTorNetwork, startPrivateTorNetwork } from '../src/tor/private-network.ts';
import { writeTestNetwork } from '../src/tor/test-network-file.ts';
import type { Tor } from '../src/tor/tor-process.ts';

/** A place for personal servers without containers, next to a private Tor network they join. */
export interface ProcessLab extends AsyncDisposable {
  /** A directory for what a test writes besides the servers. */
  readonly directory: string;
  /** Makes a server with `sotto init` and these options. */
  makeServer(name: string, options: readonly string[]): Promise<ProcessServer>;
  /** The Tor network that they join. */
  readonly network: PrivateTorNetwork;
  /** Starts a tor as a wallet's, with the keys of these lines of `.auth_private`. */
  startClient(name: string, keys: readonly string[]): Promise<Tor>;
}

type Words = readonly [command: string, ...rest: string[]];

export interface ProcessServer {
  readonly home: Home;
  /** Runs `sotto COMMAND ...` for this home, to its end. */
  sotto(...words: Words): Promise<ProgramOutput>;
  /** As `sotto`. @returns standard output. @throws when it fails. */
  succeed(...words: Words): Promise<string>;
  /** How the services are, as the supervisor knows; none when it does not run. */
  states(): Promise<readonly ServiceState[]>;
  /** Process id of `sotto run`, when it runs. */
  supervisor(): number | undefined;
  /** Process ids of all services, and of what they started. */
  services(): Promise<readonly number[]>;
}

const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

/** @param signal ends all that runs. */
export async function startProcessLab(signal: AbortSignal): Promise<ProcessLab> {
  await using starting = new Scope();
  const reaper = starting.use(await startReaper());
  const { path: directory } = starting.use(await makeTemporaryDirectory());
  reaper.watchDirectory(directory);
  const network = starting.use(
    await startPrivateTorNetwork({ directory: join(directory, 'network'), signal, reaper }),
  );
  const networkFile = join(directory, 'tor-network.json');
  await writeTestNetwork(networkFile, network.authorities);
  const started = starting.move();
  return {
    directory,
    network,
    async makeServer(name, options) {
      const [firstPort = 0] = await findFreePorts(PORTS_IN_A_ROW);
      const server = serverAt(homeAt(join(directory, name)), { reaper, signal });
      started.defer(() => endAll(server));
      await server.succeed(
        'init',
        ...['--backend', 'process', '--tor-test-network', networkFile],
        ...['--first-port', String(firstPort), ...options, '--yes'],
      );
      return server;
    },
    startClient: (name, keys) => {
      const access = keys.map((line) => parseAuthPrivate(Buffer.from(line)));
      return network.startTor({ name, onions: [], access, signal });
    },
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

function serverAt(
  home: Home,
  { reaper, signal }: { readonly reaper: Reaper; readonly signal: AbortSignal },
): ProcessServer {
  const supervisor = (): number | undefined =>
    processIds().find((pid) => {
      const words = commandOf(pid);
      return words.includes('run') && words.includes(home.directory);
    });
  const sotto: ProcessServer['sotto'] = async (...words) => {
    const output = await runProgram({
      command: process.execPath,
      args: [join(PACKAGE_ROOT, 'dist', 'cli', 'main.js'), ...words],
      env: { SOTTO_HOME: home.directory },
      maxOutputBytes: MAX_OUTPUT_BYTES,
      signal,
    });
    const pid = supervisor();
    if (pid !== undefined) reaper.watchProcess(pid);
    return output;
  };
  return {
    home,
    sotto,
    supervisor,
    states: async () =>
      (await askSupervisor(controlSocketOf(home), { command: 'states' }, signal)) ?? [],
    succeed: async (...words) => {
      const { code, stdout, stderr } = await sotto(...words);
      if (code === 0) return stdout;
      throw new Error(`sotto ${words.join(' ')} ended with ${code}:\n${stderr}${stdout}`);
    },
    services: () => findMarkedProcesses(markOf(home)),
  };
}

/** What a test leaves behind when it fails half way. */
async function endAll(server: ProcessServer): Promise<void> {
  const pid = server.supervisor();
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
  for (const service of await server.services()) {
    try {
      process.kill(service, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

export function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
