import { Command } from 'commander';
import { UserError } from '../../base/errors.ts';
import type { Finding } from '../../stack/finding.ts';
import { absolutePath } from '../absolute-path.ts';
import { findingsText } from '../findings-view.ts';
import { homeOption } from '../home-option.ts';
import { InterruptedError, untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { changeAndWait, requireRunning } from '../membership-change.ts';
import { describeError, note, printJson } from '../output.ts';

interface JoinOptions {
  readonly home: string;
  readonly wait: boolean;
  readonly bond?: string;
  readonly json?: true;
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
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      '\nIt looks first whether the node can be reached and the target is in step. A node is listed with the\n' +
        'second consensus at the latest, usually within 12 hours; Ctrl-C ends only the waiting.\n' +
        '\nExit codes: 0 it is listed, or publishes with --no-wait; 1 it cannot join, or most authorities refuse it.',
    )
    .action(async (policyFile: string, { home, wait, bond, json }: JoinOptions) => {
      const { openStack } = await import('../../stack/open-stack.ts');
      await untilInterrupted(async (signal) => {
        const stack = await openStack(home, { log: stderrLogger('warn') });
        await requireRunning(stack, signal);
        const { joinChecks } = await import('../../stack/join/join-checks.ts');
        const { runChecks } = await import('../../stack/run-checks.ts');
        const known = bond ?? stack.config.relay?.bond;
        const checks = joinChecks(stack, { policyFile, bondFile: known, clock: Date.now });
        const findings = await runChecks(checks, {
          signal,
          onFinding: (finding) => {
            note(findingsText([finding]));
          },
        });
        if (json && !isFit(findings)) printJson({ ok: false, checks: findings });
        requireFit(findings);
        try {
          const relay = { policy: policyFile, ...(known !== undefined && { bond: known }) };
          const listing = await changeAndWait({ home, relay, wait, signal });
          if (json) printJson({ ok: true, checks: findings, listing });
        } catch (error) {
          if (signal.aborted && signal.reason instanceof InterruptedError) note(WHEN_INTERRUPTED);
          else if (json) printJson({ ok: false, checks: findings, problem: describeError(error) });
          throw error;
        }
        note(wait ? 'The network lists this node.' : WHEN_INTERRUPTED);
      });
    });
}

function isFit(findings: readonly Finding[]): boolean {
  return findings.every(({ verdict }) => verdict !== 'fail');
}

/** @throws UserError unless no check failed. */
function requireFit(findings: readonly Finding[]): void {
  if (isFit(findings)) return;
  const { length: failed } = findings.filter(({ verdict }) => verdict === 'fail');
  throw new UserError(`the node cannot join yet: ${failed} of ${findings.length} checks failed`, {
    hint: 'Nothing was changed. Type the same again when that is mended.',
  });
}
