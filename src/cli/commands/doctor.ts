import process from 'node:process';
import { Command } from 'commander';
import type { Finding } from '../../stack/finding.ts';
import { findingsText } from '../findings-view.ts';
import { homeOption } from '../home-option.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { note, print, printJson } from '../output.ts';

interface DoctorOptions {
  readonly home: string;
  readonly json?: true;
}

const EXIT_FAILED = 1;

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'examine a server that runs: isolation, peers, keys, versions, room, its own onions',
    )
    .addOption(homeOption)
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      '\nIt changes nothing. To prove the isolation it tries, from inside each container, to reach well-known\n' +
        'public addresses and to resolve a name: all of that must fail. It takes about a minute.\n' +
        '\nExit codes: 0 no check failed (there may be warnings), 1 one failed.',
    )
    .action(async ({ home, json }: DoctorOptions) => {
      const { openStack } = await import('../../stack/open-stack.ts');
      const { doctorChecks } = await import('../../stack/doctor/doctor.ts');
      const { runChecks } = await import('../../stack/run-checks.ts');
      await untilInterrupted(async (signal) => {
        const stack = await openStack(home, { log: stderrLogger('warn') });
        const checks = await doctorChecks(stack, Date.now);
        const onFinding = (finding: Finding): void => {
          if (!json) print(findingsText([finding]));
        };
        const findings = await runChecks(checks, { signal, onFinding });
        const failed = findings.filter(({ verdict }) => verdict === 'fail').length;
        if (json) printJson({ ok: failed === 0, findings });
        else
          note(
            failed === 0 ? 'No check failed.' : `${failed} of ${findings.length} checks failed.`,
          );
        if (failed > 0) process.exitCode = EXIT_FAILED;
      });
    });
}
