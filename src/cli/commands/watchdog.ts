import { Command } from 'commander';
import { InterruptedError, untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';

/** Not for people: a service of the personal server. */
export function watchdogCommand(): Command {
  return new Command('watchdog')
    .description('free a tor that is stuck, over its control socket')
    .requiredOption('--tor <directory>', 'its data in a home: run/ and state/ are in it')
    .action(async ({ tor }: { readonly tor: string }) => {
      const { runWatchdog } = await import('../../stack/watchdog/run-watchdog.ts');
      try {
        await untilInterrupted((signal) =>
          runWatchdog({ torDirectory: tor, clock: Date.now, log: stderrLogger('info'), signal }),
        );
      } catch (error) {
        if (!(error instanceof InterruptedError)) throw error;
      }
    });
}
