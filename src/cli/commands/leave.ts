import { Command } from 'commander';
import { UserError } from '../../base/errors.ts';
import { homeOption } from '../home-option.ts';
import { InterruptedError, untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { changeAndWait, requireRunning } from '../membership-change.ts';
import { describeError, note, printJson } from '../output.ts';

interface LeaveOptions {
  readonly home: string;
  readonly wait: boolean;
  readonly json?: true;
}

const WHEN_INTERRUPTED =
  'The node tells the authorities by itself that it leaves. `sotto status` shows when the consensus lists it\n' +
  'no more; let it run for a day from then on.';

export function leaveCommand(): Command {
  return new Command('leave')
    .description('have the node listed no more; the server stays as it is')
    .addOption(homeOption)
    .option('--no-wait', 'end as soon as the node says so')
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      '\nClients that hold an older consensus come for up to a day: let the node run that long. `sotto join`\n' +
        'comes back; without `relay` in sotto.yaml the node is of no network at all.',
    )
    .action(async ({ home, wait, json }: LeaveOptions) => {
      const { openStack } = await import('../../stack/open-stack.ts');
      await untilInterrupted(async (signal) => {
        const stack = await openStack(home, { log: stderrLogger('warn') });
        const { relay } = stack.config;
        if (relay === undefined) throw new UserError('this node is of no network');
        await requireRunning(stack, signal);
        try {
          const leaving = { ...relay, leave: true };
          const listing = await changeAndWait({ home, relay: leaving, wait, signal });
          if (json) printJson({ ok: true, listing });
        } catch (error) {
          if (signal.aborted && signal.reason instanceof InterruptedError) note(WHEN_INTERRUPTED);
          else if (json) printJson({ ok: false, problem: describeError(error) });
          throw error;
        }
        note(wait ? 'The network lists this node no more.' : 'The node says that it leaves.');
      });
    });
}
