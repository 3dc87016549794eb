import { Argument, Command } from 'commander';
import { UserError } from '../../base/errors.ts';
import { SERVICE_NAMES, type ServiceName } from '../../stack/service.ts';
import { homeOption } from '../home-option.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { note } from '../output.ts';

export function restartCommand(): Command {
  return new Command('restart')
    .description('end services and start them with the settings of now')
    .addArgument(
      new Argument('[service...]', 'which ones; all of them when none is named').choices(
        SERVICE_NAMES,
      ),
    )
    .addOption(homeOption)
    .addHelpText('after', '\n`sotto status` shows how far they are after it.')
    .action(async (named: ServiceName[], { home }: { readonly home: string }) => {
      const { openStack } = await import('../../stack/open-stack.ts');
      const { writePlan } = await import('../../stack/apply.ts');
      await untilInterrupted(async (signal) => {
        const stack = await openStack(home, { log: stderrLogger('warn') });
        const own = stack.plan.services.map(({ name }) => name);
        const foreign = named.find((name) => !own.includes(name));
        if (foreign !== undefined) {
          throw new UserError(`this server has no ${foreign}`, {
            hint: `It has: ${own.join(', ')}.`,
          });
        }
        await writePlan(stack);
        const services = named.length > 0 ? named : own;
        await stack.backend.restart(services, { signal });
        note(`Restarted: ${services.join(', ')}.`);
      });
    });
}
