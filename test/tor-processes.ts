import { readdirSync, readFileSync } from 'node:fs';

/** The ids of the tor processes that run with a torrc below the directory. */
export function torsBelow(directory: string): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const ours = pids.filter((pid) => {
    const [command, ...args] = commandLineOf(pid);
    return command === 'tor' && args.some((argument) => argument.startsWith(`${directory}/`));
  });
  return ours.map(Number);
}

function commandLineOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
