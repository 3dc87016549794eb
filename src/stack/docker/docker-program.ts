import { UserError } from '../../base/errors.ts';
import { type ProgramOutput, runProgram } from '../../io/run-program.ts';
import { explainDocker } from './docker-complaint.ts';

export interface DockerOptions {
  /** Given on standard input. Secrets go here, never into the arguments. */
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of a minute. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 60_000;
/** Inspecting all containers of a server prints about 0.1 MB, an answer of bitcoind a few. */
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

const INSTALL =
  'On Debian or Ubuntu type: sudo apt-get update && sudo apt-get install docker.io docker-compose-v2\n' +
  'Or see https://docs.docker.com/engine/install';

/**
 * Runs the program `docker` to its end, whatever its exit code. It finds the engine as the person's
 * own calls do: by DOCKER_HOST, a context, or the socket.
 * @throws UserError when it is not installed, or does not end in time.
 */
export async function runDocker(
  args: readonly string[],
  options: DockerOptions,
): Promise<ProgramOutput> {
  const { timeoutMs = TIMEOUT_MS, signal, ...rest } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await runProgram({
      command: 'docker',
      args,
      ...rest,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      signal: AbortSignal.any([signal, timeout]),
    });
  } catch (cause) {
    signal.throwIfAborted();
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw dockerMissing(cause);
    if (!timeout.aborted) throw cause;
    throw new UserError(`docker ${args[0] ?? ''} did not end within ${timeoutMs / 1000} s`, {
      hint: 'See how the engine is doing: docker info',
      cause,
    });
  }
}

/**
 * What `docker` prints.
 * @throws UserError with docker's own words, and what to type where it is known.
 */
export async function docker(args: readonly string[], options: DockerOptions): Promise<string> {
  const { code, stdout, stderr } = await runDocker(args, options);
  if (code !== 0) throw explainDocker(args, stderr);
  return stdout;
}

export function dockerMissing(cause: unknown): UserError {
  return new UserError('Docker is not installed', { hint: INSTALL, cause });
}
