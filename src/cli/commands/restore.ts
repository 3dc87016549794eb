import { resolve } from 'node:path';
import { Command } from 'commander';
import { homeOption } from '../home-option.ts';
import { untilInterrupted } from '../interrupt.ts';
import { note, print, printJson } from '../output.ts';
import { knownPassphrase, passphraseFileOption } from '../passphrase.ts';
import { describeBackup } from '../describe-backup.ts';

interface RestoreOptions {
  readonly home: string;
  readonly passphraseFile?: string;
  readonly replace?: true;
  readonly json?: true;
}

export function restoreCommand(): Command {
  return new Command('restore')
    .description('bring back a server from a backup: the same onions, devices and configuration')
    .argument('<file>', 'a file of `sotto backup`')
    .addOption(homeOption)
    .addOption(passphraseFileOption)
    .option('--replace', 'move the server away that is there, and go on with its chain and index')
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      '\nEverything is verified before the first byte is written. Two servers with the same keys\n' +
        'take turns at being found: never start the old one again.',
    )
    .action(async (path: string, options: RestoreOptions) => {
      const { home, passphraseFile, replace = false, json } = options;
      const { openBackup } = await import('../../stack/backup/make-backup.ts');
      const { configOf, formerOf, restoreHome } = await import('../../stack/backup/restore.ts');
      const { missingPlaces } = await import('../../stack/backup/missing-places.ts');
      const { requireStopped } = await import('../../stack/require-stopped.ts');
      const { takeAll } = await import('../../stack/durable-steps.ts');
      const { vacancyOf } = await import('../../stack/new-home.ts');
      await untilInterrupted(async (signal) => {
        const passphrase = await knownPassphrase({ file: passphraseFile, signal });
        const backup = await openBackup(resolve(path), passphrase);
        const replaces = replace && (await vacancyOf(home)) === 'server';
        if (replaces) await requireStopped(home, signal);
        await takeAll(restoreHome(backup, { home, replace }));
        const described = describeBackup(backup);
        const missing = await missingPlaces(configOf(backup));
        if (json) {
          printJson({ home, ...(replaces && { former: formerOf(home) }), ...described, missing });
          return;
        }
        print(`restored ${home} from the backup of ${described.created}`);
        print(`wallet onion  ${described.onions.wallet}`);
        print(`devices       ${described.devices.join(', ') || 'none'}`);
        for (const { setting, path: place } of missing) {
          note(`sotto.yaml says ${setting}: ${place}, which is not on this machine.`);
        }
        if (replaces) note(`The server that was there is in ${formerOf(home)}, with its keys.`);
        print('Start it with: sotto up');
      });
    });
}
