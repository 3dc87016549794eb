import { userInfo } from 'node:os';
import process from 'node:process';
import { Command, Option } from 'commander';
import { utf8 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { programPath } from '../../io/program-path.ts';
import { rotatingLog } from '../../io/rotating-log.ts';
import type { Stack } from '../../stack/open-stack.ts';
import { homeOption } from '../home-option.ts';
import { InterruptedError, untilInterrupted } from '../interrupt.ts';
import { linesLogger, LOG_LEVELS, type LogLevel, stderrLogger } from '../logger.ts';
import { print } from '../output.ts';

interface RunOptions {
  readonly home: string;
  readonly logLevel: LogLevel;
  readonly logFile?: string;
  readonly systemdUnit?: true;
}

const OWN_LOG = { maxBytes: 1024 * 1024, files: 3 };

export function runCommand(): Command {
  return new Command('run')
    .description('run the services as processes, in the foreground (backend: process)')
    .addOption(homeOption)
    .addOption(new Option('--log-level <level>', 'on stderr').choices(LOG_LEVELS).default('info'))
    .option('--log-file <path>', 'log there instead, within bounds')
    .option('--systemd-unit', 'print a systemd unit that does this from boot on, and end')
    .addHelpText(
      'after',
      '\nRuns until Ctrl-C or `sotto down`, and starts again what ends by itself. `sotto up` runs it\n' +
        'in the background. What the services print is kept in the home: sotto logs',
    )
    .action(async (options: RunOptions) => {
      const { logFile, logLevel } = options;
      const log = logFile === undefined ? stderrLogger(logLevel) : fileLogger(logFile, logLevel);
      const load = (): Promise<Stack> => loadStack(options.home, log);
      if (options.systemdUnit) print(await systemdUnit(await load()));
      else await run(load, log);
    });
}

/** @throws UserError when there is no server, or one in containers. */
async function loadStack(directory: string, log: Logger): Promise<Stack> {
  const { openStack } = await import('../../stack/open-stack.ts');
  const stack = await openStack(directory, { log });
  if (stack.config.backend === 'process') return stack;
  throw new UserError('this server runs in containers', {
    hint: `Start it with: sotto up. To run it without them, say backend: process in ${stack.home.configFile}`,
  });
}

async function run(load: () => Promise<Stack>, log: Logger): Promise<void> {
  const { writePlan } = await import('../../stack/apply.ts');
  const { runServices } = await import('../../stack/process/run-services.ts');
  const { home } = await load();
  const loadPlan = async (): Promise<Stack['plan']> => {
    const stack = await load();
    await writePlan(stack);
    return stack.plan;
  };
  try {
    await untilInterrupted((signal) => runServices({ home, loadPlan, log, signal }));
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
  }
}

async function systemdUnit({ plan }: Stack): Promise<string> {
  const { stopSecondsOf } = await import('../../stack/process/launch-supervisor.ts');
  const { renderSystemdUnit } = await import('../../stack/process/systemd-unit.ts');
  const { home, services } = plan;
  const written = services.flatMap(({ dataDirectory }) => dataDirectory ?? []);
  const outside = written.filter((path) => !path.startsWith(`${home.directory}/`));
  return renderSystemdUnit({
    command: {
      command: process.execPath,
      args: [programPath('cli/main.js'), 'run', '--home', home.directory],
    },
    user: userInfo().username,
    path: process.env['PATH'] ?? '/usr/bin',
    writable: [home.directory, ...new Set(outside)],
    stopSeconds: stopSecondsOf(services),
  }).trimEnd();
}

function fileLogger(path: string, level: LogLevel): Logger {
  const { maxBytes, files } = OWN_LOG;
  const log = rotatingLog({ path, maxBytes, files });
  return linesLogger(level, { write: (line) => log.append(utf8(line)) });
}
