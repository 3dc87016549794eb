import { readdirSync, readFileSync } from 'node:fs';

/** How many tor processes run with a torrc below the directory. */
export function torsBelow(directory: string): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(commandLineOf).filter(([command, ...args]) => {
    return command === 'tor' && args.some((argument) => argument.startsWith(`${directory}/`));
  }).length;
}

function commandLineOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
