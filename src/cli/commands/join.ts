import { Command } from 'commander';
import { UserError } from '../../base/errors.ts';
import type { Finding } from '../../stack/finding.ts';
import { absolutePath } from '../absolute-path.ts';
import { findingsText } from '../findings-view.ts';
import { homeOption } from '../home-option.ts';
import { InterruptedError, untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { changeAndWait, requireRunning } from '../membership-change.ts';
import { note } from '../output.ts';

interface JoinOptions {
  readonly home: string;
  readonly wait: boolean;
  readonly bond?: string;
}

const WHEN_INTERRUPTED =
  'The node goes on publishing by itself. `sotto status` shows what the authorities say and whether it is\n' +
  'listed; `sotto leave` takes it back.';

export function joinCommand(): Command {
  return new Command('join')
    .description('have the node listed in a network, so that it serves as relay and gateway')
    .argument('<policy>', 'file: the authorities of the network', absolutePath)
    .addOption(homeOption)
    .option('--bond <file>', 'what `sotto bond prove` wrote', absolutePath)
    .option('--no-wait', 'end as soon as the node publishes')
    .addHelpText(
      'after',
      '\nIt looks first whether the node can be reached and the target is in step. A node is listed with the\n' +
        'second consensus at the latest, usually within 12 hours; Ctrl-C ends only the waiting.',
    )
    .action(async (policyFile: string, { home, wait, bond }: JoinOptions) => {
      const { openStack } = await import('../../stack/open-stack.ts');
      await untilInterrupted(async (signal) => {
        const stack = await openStack(home, { log: stderrLogger('warn') });
        await requireRunning(stack, signal);
        const { joinChecks } = await import('../../stack/join/join-checks.ts');
        const { runChecks } = await import('../../stack/run-checks.ts');
        const findings = await runChecks(joinChecks(stack, { policyFile, clock: Date.now }), {
          signal,
          onFinding: (finding) => {
            note(findingsText([finding]));
          },
        });
        requireFit(findings);
        try {
          const known = bond ?? stack.config.relay?.bond;
          const relay = { policy: policyFile, ...(known !== undefined && { bond: known }) };
          await changeAndWait({ home, relay, wait, signal });
        } catch (error) {
          if (signal.aborted && signal.reason instanceof InterruptedError) note(WHEN_INTERRUPTED);
          throw error;
        }
        note(wait ? 'The network lists this node.' : WHEN_INTERRUPTED);
      });
    });
}

function requireFit(findings: readonly Finding[]): void {
  const { length: failed } = findings.filter(({ verdict }) => verdict === 'fail');
  if (failed === 0) return;
  throw new UserError(`the node cannot join yet: ${failed} of ${findings.length} checks failed`, {
    hint: 'Nothing was changed. Type the same again when that is mended.',
  });
}
