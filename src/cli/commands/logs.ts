import { stripVTControlCharacters } from 'node:util';
import { Argument, Command, Option } from 'commander';
import { UserError } from '../../base/errors.ts';
import { SERVICE_NAMES, type ServiceName } from '../../stack/service.ts';
import { homeOption } from '../home-option.ts';
import { InterruptedError, untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { print } from '../output.ts';
import { wholeNumber } from '../whole-number.ts';

interface LogsOptions {
  readonly home: string;
  readonly follow?: true;
  readonly lines: number;
}

const DEFAULT_LINES = 100;
const MAX_LINES = 100_000;

export function logsCommand(): Command {
  return new Command('logs')
    .description('show what the services say')
    .addArgument(
      new Argument('[service]', 'which one; all of them when none is named').choices(SERVICE_NAMES),
    )
    .addOption(homeOption)
    .option('-f, --follow', 'go on until Ctrl-C')
    .addOption(
      new Option('-n, --lines <number>', 'so many of the last lines of each service')
        .argParser(wholeNumber(0, MAX_LINES))
        .default(DEFAULT_LINES),
    )
    .action(async (service: ServiceName | undefined, { home, follow, lines }: LogsOptions) => {
      const { openStack } = await import('../../stack/open-stack.ts');
      await untilInterrupted(async (signal) => {
        const { backend, plan } = await openStack(home, { log: stderrLogger('warn') });
        const names = plan.services.map(({ name }) => name);
        if (service !== undefined && !names.includes(service)) {
          throw new UserError(`this server has no ${service}`, {
            hint: `It has: ${names.join(', ')}.`,
          });
        }
        const width = Math.max(...names.map(({ length }) => length));
        const said = backend.logs({
          ...(service !== undefined && { service }),
          lines,
          follow: follow ?? false,
          signal,
        });
        for await (const line of said) {
          const text = plain(line.text);
          print(service === undefined ? `${line.service.padEnd(width)} | ${text}` : text);
        }
      }).catch((error: unknown) => {
        // Ctrl-C is how following ends well.
        if (!(follow && error instanceof InterruptedError)) throw error;
      });
    });
}

/** Peers can put what they like into some lines: nothing of it shall move the cursor. */
function plain(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are what is meant
  return stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}
