import process from 'node:process';
import { Command } from 'commander';
import type { Finding } from '../../stack/finding.ts';
import { findingsText } from '../findings-view.ts';
import { homeOption } from '../home-option.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { print, printJson } from '../output.ts';

const EXIT_FAILED = 1;

export function verifyCommand(): Command {
  return new Command('verify')
    .description('compare what runs with the images that Sotto pins')
    .addOption(homeOption)
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      '\nImages by digest, our own by their content, tor and bitcoind by the version they tell. An image\n' +
        'that the environment put in the place of a pinned one is named. Ends with code 1 when something\n' +
        'must not run.',
    )
    .action(async ({ home, json }: { readonly home: string; readonly json?: true }) => {
      const { openStack } = await import('../../stack/open-stack.ts');
      const { loadPins } = await import('../../stack/pins.ts');
      const { runCheck } = await import('../../stack/run-checks.ts');
      const { verifyChecks } = await import('../../stack/verify.ts');
      await untilInterrupted(async (signal) => {
        const { plan, backend } = await openStack(home, { log: stderrLogger('warn') });
        const checks = verifyChecks({ plan, backend, pins: await loadPins() });
        const findings: Finding[] = [];
        for (const check of checks) {
          const finding = await runCheck(check, { signal });
          findings.push(finding);
          if (!json) print(findingsText([finding]));
        }
        const ok = findings.every(({ verdict }) => verdict !== 'fail');
        if (json) printJson({ ok, findings });
        if (!ok) process.exitCode = EXIT_FAILED;
      });
    });
}
