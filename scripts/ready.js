// What the scripts that make a clone ready share. All of it is said on stderr: stdout is the command's.
import { spawnSync } from 'node:child_process';
import process from 'node:process';

export function succeeds(command, args) {
  return spawnSync(command, args, { stdio: ['ignore', 2, 2] }).status === 0;
}

export function isAtLeast(have, floor) {
  for (const [index, wanted] of floor.entries()) {
    if ((have[index] ?? 0) !== wanted) return (have[index] ?? 0) > wanted;
  }
  return true;
}

export function say(what) {
  process.stderr.write(`sotto: ${what}\n`);
}

export function stop(why) {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}
