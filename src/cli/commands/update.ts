import process from 'node:process';
import { Command } from 'commander';
import { UserError } from '../../base/errors.ts';
import type { Update } from '../../stack/updates.ts';
import { homeOption } from '../home-option.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { formatTable, note, print, printJson } from '../output.ts';
import { runSteps } from '../progress.ts';

interface UpdateOptions {
  readonly home: string;
  readonly check?: true;
  readonly json?: true;
}

export function updateCommand(): Command {
  return new Command('update')
    .description("make our images anew with Debian's newest packages, or ask what is newer")
    .addOption(homeOption)
    .option('--check', 'ask each project through Tor for its newest version; change nothing')
    .option('--json', 'print one array (with --check)')
    .addHelpText(
      'after',
      '\nVersions of bitcoind, Fulcrum, electrs and Node come with a newer Sotto, which pins them; tor comes\n' +
        'with Debian. The questions go through exits of the tor of this server, which has to run.',
    )
    .action(async (options: UpdateOptions) => {
      if (options.json && !options.check) throw new UserError('--json goes with --check only');
      await untilInterrupted((signal) =>
        options.check ? check(options, signal) : rebuild(options.home, signal),
      );
    });
}

async function check({ home, json }: UpdateOptions, signal: AbortSignal): Promise<void> {
  const { openStack } = await import('../../stack/open-stack.ts');
  const { loadPins } = await import('../../stack/pins.ts');
  const { runningTorVersion } = await import('../../stack/tor-version.ts');
  const updates = await import('../../stack/updates.ts');
  const { plan } = await openStack(home, { log: stderrLogger('warn') });
  const torVersion = await runningTorVersion(plan.home);
  if (torVersion === undefined) {
    throw new UserError('tor does not run, and nothing is asked by any other way', {
      hint: 'Start the server: sotto up',
    });
  }
  const found = await updates.checkUpdates({
    pins: await loadPins(),
    torVersion,
    get: updates.getThroughTor(plan.home),
    signal,
  });
  if (json) printJson(found);
  else print(formatTable([['', 'here', 'newest', ''], ...found.map(row)]));
  updates.requireAnswer(found);
}

function row({ name, version, newest, isNewer, problem }: Update): string[] {
  if (newest === undefined) return [name, version, '?', problem ?? ''];
  const todo = name === 'tor' ? 'sotto update, then sotto up' : 'comes with a newer Sotto';
  return [name, version, newest, isNewer ? todo : 'up to date'];
}

async function rebuild(home: string, signal: AbortSignal): Promise<void> {
  const { openStack } = await import('../../stack/open-stack.ts');
  const { buildImages } = await import('../../stack/docker/build-images.ts');
  const { plan } = await openStack(home, { log: stderrLogger('warn') });
  if (plan.config.backend !== 'docker') {
    throw new UserError('the process backend runs what is installed on this machine', {
      hint: 'With Debian: sudo apt-get update && sudo apt-get upgrade. What is newer: sotto update --check',
    });
  }
  await runSteps([
    {
      title: 'our images',
      run: async (detail) => {
        const built = await buildImages({
          images: Object.values(plan.images),
          environment: process.env,
          isFresh: true,
          onProgress: detail,
          signal,
        });
        return built.length > 0 ? built.join(', ') : 'none of them is in use';
      },
    },
  ]);
  note('They run from the next start on: sotto up');
}
