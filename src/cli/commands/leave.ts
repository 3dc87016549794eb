import { Command } from 'commander';
import { UserError } from '../../base/errors.ts';
import { homeOption } from '../home-option.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { changeAndWait, requireRunning } from '../membership-change.ts';
import { note } from '../output.ts';

interface LeaveOptions {
  readonly home: string;
  readonly wait: boolean;
}

export function leaveCommand(): Command {
  return new Command('leave')
    .description('have the node listed no more; the server stays as it is')
    .addOption(homeOption)
    .option('--no-wait', 'end as soon as the node says so')
    .addHelpText(
      'after',
      '\nClients that hold an older consensus come for up to a day: let the node run that long. `sotto join`\n' +
        'comes back; without `relay` in sotto.yaml the node is of no network at all.',
    )
    .action(async ({ home, wait }: LeaveOptions) => {
      const { openStack } = await import('../../stack/open-stack.ts');
      await untilInterrupted(async (signal) => {
        const stack = await openStack(home, { log: stderrLogger('warn') });
        const { relay } = stack.config;
        if (relay === undefined) throw new UserError('this node is of no network');
        await requireRunning(stack, signal);
        await changeAndWait({ home, relay: { ...relay, leave: true }, wait, signal });
        note(wait ? 'The network lists this node no more.' : 'The node says that it leaves.');
      });
    });
}
