import { Command } from 'commander';
import { homeOption } from '../home-option.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { note } from '../output.ts';

export function downCommand(): Command {
  return new Command('down')
    .description('stop the personal server; chain, index and keys stay')
    .addOption(homeOption)
    .addHelpText(
      'after',
      '\nbitcoind may take minutes: it writes its cache to the disk first. `sotto up` starts all again.',
    )
    .action(async ({ home }: { readonly home: string }) => {
      const { openToEnd } = await import('../../stack/open-stack.ts');
      await untilInterrupted(async (signal) => {
        const { backend } = await openToEnd(home, { log: stderrLogger('warn') });
        await backend.down({ signal });
        note('The server is stopped.');
      });
    });
}
