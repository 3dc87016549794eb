import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { authorityConfigSchema } from '../../config/authority-config.ts';
import { loadJson } from '../../config/load.ts';
import { untilInterrupted } from '../interrupt.ts';
import { LOG_LEVELS, type LogLevel, stderrLogger } from '../logger.ts';
import { formatTable, note, print, printJson } from '../output.ts';
import { serveUntilAborted } from '../serve.ts';

interface RunOptions {
  readonly config: string;
  readonly logLevel: LogLevel;
}

interface StatusOptions {
  readonly config: string;
  readonly json?: true;
}

export function authorityCommand(): Command {
  return new Command('authority')
    .description('one of those who say together which nodes a network has')
    .addCommand(initCommand())
    .addCommand(runCommand())
    .addCommand(statusCommand());
}

function initCommand(): Command {
  return new Command('init')
    .description('make the key of a new authority')
    .argument('<name>', 'of the authority, as the policy will have it')
    .argument('<directory>', 'its data directory')
    .addHelpText('after', '\nPrints the line of the policy that names it: witness NAME KEY.')
    .action(async (name: string, directory: string) => {
      const { foundAuthority } = await import('../../authority/found-authority.ts');
      print(await foundAuthority(name, resolve(directory)));
      note(
        'Give this line to those who found the network with you. The key stays in that directory.',
      );
    });
}

function runCommand(): Command {
  return new Command('run')
    .description('take part in making the consensus of a network')
    .requiredOption('-c, --config <file>', 'JSON file; docs/authority.md describes every field')
    .addOption(new Option('--log-level <level>', 'on stderr').choices(LOG_LEVELS).default('info'))
    .addHelpText('after', '\nPrints one JSON line when it is ready: {"port"}.')
    .action(async ({ config: path, logLevel }: RunOptions) => {
      const config = await loadJson(path, authorityConfigSchema);
      const { startAuthority } = await import('../../authority/start-authority.ts');
      const { socksDial } = await import('../../io/socks-dial.ts');
      const log = stderrLogger(logLevel);
      await untilInterrupted(async (signal) => {
        await using authority = await startAuthority(config, {
          log,
          signal,
          dial: socksDial(config.socks),
        });
        print(JSON.stringify({ port: authority.port }));
        await serveUntilAborted(authority, signal);
      });
    });
}

function statusCommand(): Command {
  return new Command('status')
    .description('say what an authority holds, whether it runs or not')
    .requiredOption('-c, --config <file>', 'JSON file that it runs with')
    .option('--json', 'for programs')
    .action(async ({ config: path, json }: StatusOptions) => {
      const config = await loadJson(path, authorityConfigSchema);
      const { authorityStatus } = await import('../../authority/authority-status.ts');
      const status = await authorityStatus(config, Date.now());
      if (json) {
        printJson(status);
        return;
      }
      const { consensus } = status;
      const rows: [string, string | number][] = [
        ['authority', status.name],
        ['running', status.running ? 'yes' : 'no'],
        ['nodes admitted', status.nodes],
        ['evidence', status.evidence],
        ['consensus', consensus === undefined ? 'none yet' : `epoch ${consensus.epoch}`],
      ];
      if (consensus !== undefined) {
        rows.push(
          ['  of', new Date(consensus.validAfter * 1000).toISOString()],
          ['  valid until', new Date(consensus.validUntil * 1000).toISOString()],
          ['  nodes', consensus.nodes],
        );
      }
      print(formatTable(rows));
    });
}
