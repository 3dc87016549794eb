import { Command, Option } from 'commander';
import { guardConfigSchema } from '../../config/guard-config.ts';
import { loadJson } from '../../config/load.ts';
import { untilInterrupted } from '../interrupt.ts';
import { LOG_LEVELS, type LogLevel, stderrLogger } from '../logger.ts';
import { print } from '../output.ts';
import { serveUntilAborted } from '../serve.ts';

interface GuardOptions {
  readonly config: string;
  readonly logLevel: LogLevel;
}

export function guardCommand(): Command {
  return new Command('guard')
    .description('stand between strangers and an Electrum server: bounds what each may ask')
    .requiredOption('-c, --config <file>', 'JSON file; docs/guard.md describes every field')
    .addOption(new Option('--log-level <level>', 'on stderr').choices(LOG_LEVELS).default('info'))
    .addHelpText('after', '\nPrints one JSON line when it is ready: {"port"}.')
    .action(async ({ config: path, logLevel }: GuardOptions) => {
      const config = await loadJson(path, guardConfigSchema);
      const { startGuard } = await import('../../node/guard.ts');
      const log = stderrLogger(logLevel);
      await untilInterrupted(async (signal) => {
        await using guard = await startGuard(config, { clock: Date.now, log });
        print(JSON.stringify({ port: guard.port }));
        await serveUntilAborted(guard, signal);
      });
    });
}
