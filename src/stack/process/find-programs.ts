import process from 'node:process';
import { UserError } from '../../base/errors.ts';
import { PROGRAMS, type ProgramName, type StackConfig } from '../../config/stack-config.ts';
import { findProgram } from '../../io/find-program.ts';
import { programPath } from '../../io/program-path.ts';
import type { ServiceSpec } from '../service.ts';

/** What a service's command comes to on this machine. */
export interface FoundCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** Sotto's own name in the commands of a plan. */
const SOTTO = 'sotto';

const INSTALL: Readonly<Record<ProgramName, string>> = {
  tor: 'tor: on Debian or Ubuntu type: sudo apt-get update && sudo apt-get install tor',
  bitcoind: 'bitcoind: Bitcoin Core 31.1 or newer, https://bitcoincore.org/en/download/',
  fulcrum: 'Fulcrum: version 2.1 or newer, https://github.com/cculianu/Fulcrum/releases',
  electrs: 'electrs: https://github.com/romanz/electrs/blob/master/doc/install.md',
};

/**
 * Finds the programs of all services of a plan: where sotto.yaml says, else on PATH.
 * @throws UserError that names all that are missing, and how to get them.
 */
export async function requirePrograms({
  config,
  services,
}: {
  readonly config: StackConfig;
  readonly services: readonly Pick<ServiceSpec, 'command'>[];
}): Promise<void> {
  const missing: ProgramName[] = [];
  for (const name of new Set(services.map(({ command }) => command[0]))) {
    // Fulcrum has a capital letter on PATH.
    const known = PROGRAMS.find((each) => each === name.toLowerCase());
    if (known && (await pathOf(name, config)) === undefined) missing.push(known);
  }
  if (missing.length === 0) return;
  const [which, there] = missing.length === 1 ? ['a program', 'it is'] : ['programs', 'they are'];
  const places = missing.map((name) => {
    const named = config.process.programs[name];
    return named === undefined ? name : `${name} (sotto.yaml says ${named})`;
  });
  throw new UserError(`${which} of this server cannot be found: ${places.join(', ')}`, {
    hint: [
      ...missing.map((name) => INSTALL[name]),
      `Install, or say in sotto.yaml where ${there}:`,
      'process:',
      '  programs:',
      ...missing.map((name) => `    ${name}: /path/to/${name}`),
      'Or let containers do it: backend: docker',
    ].join('\n'),
  });
}

/** @throws Error when the program is not there (any more). */
export async function findCommand(
  { command: [name, ...args], memoryMiB }: ServiceSpec,
  config: StackConfig,
): Promise<FoundCommand> {
  if (name === SOTTO) {
    // Beyond this it ends and is started again, rather than take the machine's memory.
    const node = [`--max-old-space-size=${memoryMiB}`, programPath('cli/main.js')];
    return { command: process.execPath, args: [...node, ...args] };
  }
  const command = await pathOf(name, config);
  if (command === undefined) throw new Error(`no program ${name}`);
  return { command, args };
}

async function pathOf(
  name: string,
  { process: { programs } }: StackConfig,
): Promise<string | undefined> {
  const known = PROGRAMS.find((each) => each === name.toLowerCase());
  const named = known && programs[known];
  return await findProgram(named ?? name);
}
