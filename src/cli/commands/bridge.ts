import { Command, Option } from 'commander';
import type { Network } from '../../bitcoin/networks.ts';
import { absolutePath } from '../absolute-path.ts';
import { bridgeStatusJson, bridgeStatusText } from '../bridge-status-view.ts';
import { stateDirectory, stateOption } from '../client-options.ts';
import { untilInterrupted } from '../interrupt.ts';
import { listenOption } from '../listen-option.ts';
import { LOG_LEVELS } from '../logger.ts';
import { networkOption, wayOptions } from '../lookup-way.ts';
import { print, printJson } from '../output.ts';
import { type BridgeOptions, serveWallets } from '../serve-wallets.ts';
import { socksChoiceOption, torTestNetworkOption } from '../socks-option.ts';
import { wholeNumber } from '../whole-number.ts';

interface StatusOptions {
  readonly network: Network;
  readonly state?: string;
  readonly json?: true;
}

export function bridgeCommand(): Command {
  const bridge = new Command('bridge')
    .enablePositionalOptions()
    .description('serve unmodified wallets on this machine, every answer verified first');
  for (const option of wayOptions) bridge.addOption(option);
  return bridge
    .addOption(listenOption)
    .option('--allow-lan', 'let it listen where others than this machine can come')
    .addOption(socksChoiceOption)
    .addOption(
      new Option('--device-key <file>', "to your server's private onion, for a tor of its own")
        .argParser(absolutePath)
        .conflicts('relayed'),
    )
    .addOption(torTestNetworkOption)
    .addOption(
      new Option('--schedule <kind>', 'for --relayed: when addresses are asked about again')
        .choices(['steady', 'fast'])
        .conflicts('direct'),
    )
    .addOption(
      new Option('--window-ms <n>', 'each first question goes out at a random moment of this time')
        .argParser(wholeNumber(0, 10_000))
        .default(1500),
    )
    .addOption(
      new Option(
        '--passphrase-file <file>',
        'what is kept is sealed with the one line in this file',
      ).argParser(absolutePath),
    )
    .option('--json', 'print where it listens as one line of JSON')
    .addOption(new Option('--log-level <level>', 'on stderr').choices(LOG_LEVELS).default('warn'))
    .addHelpText('after', '\nRuns until Ctrl-C. From another terminal: sotto bridge status')
    .action(async (options: BridgeOptions) => {
      await untilInterrupted((signal) => serveWallets(options, signal));
    })
    .addCommand(statusCommand());
}

function statusCommand(): Command {
  return new Command('status')
    .description('tell how far a running bridge is, and what each node has seen')
    .addOption(networkOption)
    .addOption(stateOption)
    .option('--json', 'print one object')
    .action(async ({ network, state, json }: StatusOptions) => {
      const { askStatus, statusSocketIn } = await import('../../bridge/status-socket.ts');
      const path = statusSocketIn(stateDirectory(state, network));
      const report = await untilInterrupted((signal) => askStatus(path, signal));
      if (json) printJson(bridgeStatusJson(report));
      else
        print(
          report === undefined ? 'the bridge is starting' : bridgeStatusText(report, Date.now()),
        );
    });
}
