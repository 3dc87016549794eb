import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import process from 'node:process';
import { Scope } from '../src/base/lifecycle.ts';
import { type ProgramOutput, runProgram } from '../src/io/run-program.ts';
import { startReaper } from '../src/io/reaper.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { homeAt, type Home } from '../src/stack/home.ts';
import { PACKAGE_ROOT } from '../src/stack/package-root.ts';
import { parseAuthPrivate } from '../src/tor/client-authorization.ts';
import { type PrivateTorNetwork, startPrivateTorNetwork } from '../src/tor/private-network.ts';
import { writeTestNetwork } from '../src/tor/test-network-file.ts';
import type { Tor } from '../src/tor/tor-process.ts';
import { BASE_IMAGE, docker } from './docker-engine.ts';

/** A place for one personal server with Docker, next to a private Tor network it can join. */
export interface DockerStack extends AsyncDisposable {
  readonly home: Home;
  /** Of Docker compose; nothing else has it. */
  readonly project: string;
  /** Three numbers of addresses that no network of this engine has. */
  readonly networkPrefix: string;
  /** JSON: what a tor must know to join the private network. */
  readonly testNetworkFile: string;
  /** A directory for what a test writes besides the server. */
  readonly directory: string;
  /** Runs `sotto ... --home HOME` to its end. */
  sotto(...args: readonly string[]): Promise<ProgramOutput>;
  /** As `sotto`. @returns standard output. @throws when it fails. */
  succeed(...args: readonly string[]): Promise<string>;
  /** Starts a tor on this machine, as a wallet's, with the keys of these lines of `.auth_private`. */
  startClient(name: string, keys: readonly string[]): Promise<Tor>;
}

const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

/** @param signal ends all that runs. */
export async function startDockerStack(signal: AbortSignal): Promise<DockerStack> {
  await using starting = new Scope();
  const reaper = starting.use(await startReaper());
  const { path: directory } = starting.use(await makeTemporaryDirectory());
  reaper.watchDirectory(directory);
  const network = starting.use(
    await startPrivateTorNetwork({
      directory: join(directory, 'network'),
      // Where containers find this machine.
      address: bridgeAddress(),
      signal,
      reaper,
    }),
  );
  const testNetworkFile = join(directory, 'tor-network.json');
  await writeTestNetwork(testNetworkFile, network.authorities);
  const project = `sotto-test-${randomBytes(3).toString('hex')}`;
  starting.use({
    [Symbol.asyncDispose]: () => {
      removeProject(project);
      return Promise.resolve();
    },
  });
  const home = homeAt(join(directory, 'home'));
  const sotto = (...args: readonly string[]): Promise<ProgramOutput> =>
    runProgram({
      command: process.execPath,
      args: [join(PACKAGE_ROOT, 'dist', 'cli', 'main.js'), ...args, '--home', home.directory],
      env: { SOTTO_BASE_IMAGE: BASE_IMAGE },
      maxOutputBytes: MAX_OUTPUT_BYTES,
      signal,
    });
  const started = starting.move();
  return {
    home,
    project,
    networkPrefix: freeNetworkPrefix(),
    testNetworkFile,
    directory,
    sotto,
    async succeed(...args) {
      const { code, stdout, stderr } = await sotto(...args);
      if (code === 0) return stdout;
      throw new Error(
        `sotto ${args.join(' ')} ended with ${code ?? 'a signal'}:\n${stderr}${stdout}`,
      );
    },
    startClient: (name, keys) => startClient(network, { name, keys, signal }),
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

interface ClientOptions {
  readonly name: string;
  readonly keys: readonly string[];
  readonly signal: AbortSignal;
}

function startClient(
  network: PrivateTorNetwork,
  { name, keys, signal }: ClientOptions,
): Promise<Tor> {
  const access = keys.map((line) => parseAuthPrivate(Buffer.from(line)));
  return network.startTor({ name, onions: [], access, signal });
}

/** This machine, as a container on any network with a way out reaches it. */
function bridgeAddress(): string {
  const format = '{{range .IPAM.Config}}{{or .Gateway .Subnet}}{{end}}';
  // Engines before 23 leave the gateway out where nobody chose it: it is the first address.
  return docker('network', 'inspect', 'bridge', '--format', format).replace(/\.0\/.*$/, '.1');
}

/** Of two tests at a time one has the even ones: a prefix is in use later than it is chosen. */
function freeNetworkPrefix(): string {
  const taken = docker('network', 'ls', '--quiet').split('\n').map(addressesOf).join('\n');
  const parity = Number(process.env['VITEST_POOL_ID'] ?? 0) % 2;
  for (;;) {
    const prefix = `10.213.${100 + 2 * randomInt(75) + parity}`;
    if (!taken.includes(`"${prefix}.`)) return prefix;
  }
}

/** Empty when another test has removed the network since it was listed. */
function addressesOf(network: string): string {
  try {
    return docker('network', 'inspect', '--format', '{{json .IPAM.Config}}', network);
  } catch {
    return '';
  }
}

/** What a test leaves behind when it fails half way. */
function removeProject(project: string): void {
  const filter = ['--quiet', '--filter', `label=com.docker.compose.project=${project}`];
  const containers = docker('ps', '--all', ...filter);
  if (containers !== '') docker('rm', '--force', ...containers.split('\n'));
  const networks = docker('network', 'ls', ...filter);
  if (networks !== '') docker('network', 'rm', ...networks.split('\n'));
}
