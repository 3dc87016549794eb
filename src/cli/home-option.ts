import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Option } from 'commander';
import { absolutePath } from './absolute-path.ts';

/** `--home`: an absolute path, whatever was written. Its attribute is `home`. */
export const homeOption = new Option('--home <directory>', 'everything of one personal server')
  .env('SOTTO_HOME')
  .argParser(absolutePath)
  .default(
    join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'sotto', 'server'),
  );
