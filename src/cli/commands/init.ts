import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { UserError } from '../../base/errors.ts';
import { NETWORKS } from '../../bitcoin/networks.ts';
import { BACKENDS, type StackConfig, TARGETS } from '../../config/stack-config.ts';
import type { Finding } from '../../stack/finding.ts';
import { homeAt } from '../../stack/home.ts';
import type { Choices } from '../../stack/init/choices.ts';
import { askYes, hasTerminal } from '../ask.ts';
import { findingsText } from '../findings-view.ts';
import { homeOption } from '../home-option.ts';
import { askChoices } from '../init-questions.ts';
import { InterruptedError, untilInterrupted } from '../interrupt.ts';
import { note, print, printJson } from '../output.ts';
import { wholeNumber } from '../whole-number.ts';

interface InitOptions extends Choices {
  readonly home: string;
  readonly yes?: boolean;
  readonly json?: true;
}

export function initCommand(): Command {
  return new Command('init')
    .description('prepare a personal server: check the machine, write sotto.yaml, make its keys')
    .addOption(homeOption)
    .addOption(new Option('--network <name>', 'default: mainnet').choices(NETWORKS))
    .addOption(
      new Option('--target <name>', 'Electrum server; default: by free disk').choices(TARGETS),
    )
    .addOption(new Option('--backend <name>', 'default: docker').choices(BACKENDS))
    .option('--storage <directory>', 'where chain and index go instead of the home', absolute)
    .option('--bitcoin-data <directory>', 'existing data directory of bitcoind', absolute)
    .option('--expose-lan <address:port>', 'let wallets of the local network in there')
    .option('--open-wallet', 'let wallets in that cannot hold a device key')
    .option('--memory-mib <number>', 'for all of it together', wholeNumber(1, 1 << 24))
    .option('--policy <file>', 'of a network of nodes to take part in', absolute)
    .option('--tor-test-network <file>', 'authorities of a private Tor network', absolute)
    .option('--project <name>', 'before the names of all containers')
    .option('--network-prefix <numbers>', 'first three numbers of the containers’ addresses')
    .option('--first-port <number>', 'of the process backend', wholeNumber(1, 65_535))
    .option('--yes', 'do not ask; take the defaults for what is not given')
    .option('--json', 'print one object')
    .addHelpText('after', '\nNothing is started and nothing is fetched. Next: sotto up')
    .action(async ({ home, yes = false, json, ...given }: InitOptions) => {
      const { createServer, requireVacant } = await import('../../stack/init/create-server.ts');
      const { decide, expectSync } = await import('../../stack/init/decide.ts');
      const { describeSync } = await import('../../stack/sync-estimate.ts');
      const { preflightChecks } = await import('../../stack/preflight/preflight.ts');
      const { runChecks } = await import('../../stack/run-checks.ts');
      const { requirePlainPath, servicesUser } = await import('../../stack/open-stack.ts');
      await untilInterrupted(async (signal) => {
        requirePlainPath(home);
        await requireVacant(home);
        if (!yes && !hasTerminal()) throw nobodyToAsk();
        const asked = yes ? given : await askChoices(given, signal);
        const config = await decide(asked, home);
        const subject = { config, home: homeAt(home), user: servicesUser(config) };
        const onFinding = (finding: Finding): void => {
          if (!json) note(findingsText([finding]));
        };
        const findings = await runChecks(preflightChecks(subject), { signal, onFinding });
        const isFit = findings.every(({ verdict }) => verdict !== 'fail');
        if (isFit) {
          if (!yes) await requireYes(home, config, signal);
          await createServer(subject);
        }
        const sync = await expectSync(config);
        if (json) printJson({ home, written: isFit, config, findings, sync });
        if (!isFit) {
          throw new UserError('nothing was written: this machine cannot run it like this', {
            hint: 'Mend what is marked FAIL and run this again.',
          });
        }
        if (json) return;
        print(`wrote ${homeAt(home).configFile}: ${config.target} on ${config.network}`);
        const wait = describeSync(sync);
        if (wait !== undefined) print(wait);
        print('Start it with: sotto up');
      });
    });
}

function absolute(path: string): string {
  return resolve(path);
}

function nobodyToAsk(): UserError {
  return new UserError('there is no terminal to ask on', {
    hint:
      'Give --yes: then what no flag says is as by default, on mainnet.\n' +
      'Most wanted: --network, --target, --storage, --bitcoin-data, --backend.',
  });
}

async function requireYes(home: string, config: StackConfig, signal: AbortSignal): Promise<void> {
  const message = `Make a server in ${home}: ${config.target} on ${config.network}?`;
  if (!(await askYes({ message, signal }))) throw new InterruptedError();
}
