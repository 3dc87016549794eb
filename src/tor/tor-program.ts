import { UserError } from '../base/errors.ts';
import { type Child, startChild } from '../io/child-process.ts';
import type { Reaper } from '../io/reaper.ts';

/** The first series in which onion services take every option that the torrc uses. */
const FLOOR = [0, 4, 9];
const INSTALL = 'On Debian or Ubuntu type: sudo apt-get update && sudo apt-get install tor';
const STOP_TIMEOUT_MS = 1_000;

/**
 * The version of a tor, the one on PATH unless its path is given.
 * @throws UserError, with the command to type, when there is none or it is older than 0.4.9.
 */
export async function requireTor(signal: AbortSignal, command = 'tor'): Promise<string> {
  const text = await versionText(command, signal);
  const version = /^Tor version (\d+(?:\.\d+)+)/m.exec(text)?.[1];
  if (version === undefined) throw new UserError(`What is called ${command} is not tor.`);
  if (!isAtLeast(version.split('.').map(Number), FLOOR)) {
    throw new UserError(`tor ${version} is too old: Sotto needs ${FLOOR.join('.')} or newer.`, {
      hint: INSTALL,
    });
  }
  return version;
}

async function versionText(command: string, signal: AbortSignal): Promise<string> {
  const lines: string[] = [];
  await using tor = await startProgram({
    command,
    args: ['--version'],
    onLine: (line) => lines.push(line),
    signal,
  });
  await tor.exited;
  return lines.join('\n');
}

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly input?: string;
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
  readonly reaper?: Reaper | undefined;
}

/**
 * Starts a program of Debian's package tor.
 * @throws UserError, with the command to type, when it is not installed.
 */
export async function startProgram(options: ProgramOptions): Promise<Child> {
  try {
    return await startChild({ ...options, stopTimeoutMs: STOP_TIMEOUT_MS });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new UserError(`${options.command} is not installed.`, { hint: INSTALL, cause });
  }
}

function isAtLeast(version: readonly number[], floor: readonly number[]): boolean {
  const at = floor.findIndex((part, index) => part !== (version[index] ?? 0));
  return at === -1 || (version[at] ?? 0) > (floor[at] ?? 0);
}
