import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { InvalidArgumentError, Option } from 'commander';

/** `--home`: an absolute path, whatever was written. Its attribute is `home`. */
export const homeOption = new Option('--home <directory>', 'everything of one personal server')
  .env('SOTTO_HOME')
  .argParser(absolute)
  .default(
    join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'sotto', 'server'),
  );

function absolute(path: string): string {
  // An empty variable would otherwise mean the directory one happens to stand in.
  if (path === '') throw new InvalidArgumentError('It is empty.');
  return resolve(path);
}
