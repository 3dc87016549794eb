import { Command } from 'commander';
import { UserError } from '../../base/errors.ts';
import type { Destruction } from '../../stack/destroy.ts';
import { hasTerminal, requireTyped } from '../ask.ts';
import { homeOption } from '../home-option.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { formatMegabytes, note, print, printJson } from '../output.ts';

interface DestroyOptions {
  readonly home: string;
  readonly yes?: true;
  readonly keepKeys?: boolean;
  readonly json?: true;
}

export function destroyCommand(): Command {
  return new Command('destroy')
    .description('remove a server: what runs, its chain and index, its keys')
    .addOption(homeOption)
    .option('--yes', 'do not ask')
    .option('--keep-keys', 'leave keys, devices and configuration: `sotto up` makes it again')
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      '\nWhat you brought stays: bitcoin_data, directories that were there before, other files.\n' +
        'Without a backup or --keep-keys the onion addresses are lost for good.',
    )
    .action(async ({ home, yes, keepKeys = false, json }: DestroyOptions) => {
      const { openToEnd } = await import('../../stack/open-stack.ts');
      const { planDestruction, removeDoomed, requireOurs } = await import('../../stack/destroy.ts');
      await untilInterrupted(async (signal) => {
        await requireOurs(home);
        const { config, backend } = await openToEnd(home, { log: stderrLogger('warn') });
        const destruction = await planDestruction(home, { config, keepKeys });
        if (!json) describe(destruction);
        if (!yes) await requireProject(config.docker.project, signal);
        await backend.down({ signal });
        await backend.remove({ signal });
        await removeDoomed(destruction);
        if (json) printJson(destruction);
        else print(keepKeys ? `removed all but what stays in ${home}` : `removed ${home}`);
      });
    });
}

function describe({ doomed, kept, absentKeys }: Destruction): void {
  note('This goes: what runs, its containers and networks, and');
  for (const { path, megabytes } of doomed)
    note(`  ${formatMegabytes(megabytes).padStart(9)}  ${path}`);
  if (kept.length > 0) note('This stays:');
  for (const { path, because } of kept) note(`  ${path} (${because})`);
  if (absentKeys.length > 0) note('These keys are not here, so this does not erase them:');
  for (const path of absentKeys) note(`  ${path}`);
}

async function requireProject(project: string, signal: AbortSignal): Promise<void> {
  if (!hasTerminal()) {
    throw new UserError('there is no terminal to ask on whether you are sure', {
      hint: 'Give --yes.',
    });
  }
  await requireTyped(project, { message: `Type the name of the project, ${project}`, signal });
}
