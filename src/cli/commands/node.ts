import { Command, Option } from 'commander';
import { loadJson } from '../../config/load.ts';
import { nodeConfigSchema } from '../../config/node-config.ts';
import { untilInterrupted } from '../interrupt.ts';
import { LOG_LEVELS, type LogLevel, stderrLogger } from '../logger.ts';
import { print } from '../output.ts';
import { serveUntilAborted } from '../serve.ts';
import { packageVersion } from '../version.ts';

interface NodeOptions {
  readonly config: string;
  readonly logLevel: LogLevel;
}

export function nodeCommand(): Command {
  return new Command('node')
    .description('run one node: relay and gateway in front of an Electrum server')
    .requiredOption('-c, --config <file>', 'JSON file; docs/node.md describes every field')
    .addOption(new Option('--log-level <level>', 'on stderr').choices(LOG_LEVELS).default('info'))
    .addHelpText('after', '\nPrints one JSON line when it is ready: {"nodeId","port"}.')
    .action(async ({ config: path, logLevel }: NodeOptions) => {
      const config = await loadJson(path, nodeConfigSchema);
      const { startNode } = await import('../../node/start-node.ts');
      const log = stderrLogger(logLevel);
      await untilInterrupted(async (signal) => {
        const software = `sotto/${packageVersion()}`;
        await using node = await startNode(config, { clock: Date.now, log, signal, software });
        print(JSON.stringify({ nodeId: node.nodeId, port: node.port }));
        await serveUntilAborted(node, signal);
      });
    });
}
