import { resolve } from 'node:path';
import { Command } from 'commander';
import { homeOption } from '../home-option.ts';
import { untilInterrupted } from '../interrupt.ts';
import { note, print, printJson } from '../output.ts';
import { newPassphrase, passphraseFileOption } from '../passphrase.ts';
import { describeBackup } from '../describe-backup.ts';

interface BackupOptions {
  readonly home: string;
  readonly passphraseFile?: string;
  readonly json?: true;
}

export function backupCommand(): Command {
  return new Command('backup')
    .description('write keys, devices and configuration into one encrypted file')
    .argument('<file>', 'where to; it must not exist')
    .addOption(homeOption)
    .addOption(passphraseFileOption)
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      '\nThe file is encrypted with the passphrase (age, scrypt) and checked by reading it back.\n' +
        'It holds no blocks and no index: those are built anew, or copied by you.',
    )
    .action(async (path: string, { home, passphraseFile, json }: BackupOptions) => {
      const { makeBackup } = await import('../../stack/backup/make-backup.ts');
      await untilInterrupted(async (signal) => {
        const file = resolve(path);
        const passphrase = await newPassphrase({ file: passphraseFile, signal });
        const backup = await makeBackup({ home, file, passphrase, now: new Date() });
        const described = { file, ...describeBackup(backup) };
        if (json) {
          printJson(described);
          return;
        }
        print(`wrote ${file} and read it back: ${described.files} files`);
        print(`wallet onion  ${described.onions.wallet}`);
        print(`devices       ${described.devices.join(', ') || 'none'}`);
        note('Keep it off this machine. Without the passphrase nobody can read it, nor can you.');
      });
    });
}
