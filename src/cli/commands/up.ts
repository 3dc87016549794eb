import { Command } from 'commander';
import type { Stack } from '../../stack/open-stack.ts';
import { isReady, STEP_IDS, STEP_TITLES, type StepId } from '../../stack/readiness/step.ts';
import { homeOption } from '../home-option.ts';
import { InterruptedError, untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { note, print } from '../output.ts';
import { runSteps } from '../progress.ts';
import { stepKey } from '../readiness-view.ts';
import { settled, Sights } from '../sights.ts';

interface UpOptions {
  readonly home: string;
  readonly wait: boolean;
  readonly json?: true;
}

const WHEN_INTERRUPTED =
  'What was started goes on by itself. `sotto up` or `sotto status --watch` shows how far it is;\n' +
  '`sotto down` stops it.';

export function upCommand(): Command {
  return new Command('up')
    .description('start the personal server, and wait until it answers through its own onion')
    .addOption(homeOption)
    .option('--no-wait', 'end as soon as every service is started')
    .option('--json', 'print one object a line whenever a step changes; the last has `ready`')
    .addHelpText(
      'after',
      '\nThe first time takes days: the chain comes over Tor. Ctrl-C ends only the waiting; run it again\n' +
        'to go on. It ends with code 0 when all is ready, and 1 when a step has failed.',
    )
    .action(async (options: UpOptions) => {
      const { openOrBeginStack } = await import('../../stack/open-stack.ts');
      await untilInterrupted(async (signal) => {
        const stack = await openOrBeginStack(options.home, { log: stderrLogger('warn') });
        try {
          if (options.json) await upWithLines(stack, { ...options, signal });
          else await upWithProgress(stack, { ...options, signal });
        } catch (error) {
          if (signal.aborted && signal.reason instanceof InterruptedError) note(WHEN_INTERRUPTED);
          throw error;
        }
      });
    });
}

interface Running {
  readonly wait: boolean;
  readonly signal: AbortSignal;
}

async function upWithProgress(stack: Stack, { wait, signal }: Running): Promise<void> {
  const { bringUp } = await import('../../stack/bring-up.ts');
  const { followStack } = await import('../../stack/follow-stack.ts');
  const sights = new Sights(
    followStack(stack, { clock: Date.now, log: stderrLogger('warn'), signal }),
  );
  const start = {
    title: 'the services start',
    run: async (detail: (text: string) => void) => {
      await bringUp(stack, { signal, onProgress: detail });
      return stack.plan.services.map(({ name }) => name).join(', ');
    },
  };
  const steps = STEP_IDS.map((id) => ({
    title: STEP_TITLES[id],
    run: (detail: (text: string) => void) => settled(id, { sights, detail }),
  }));
  try {
    await runSteps(wait ? [start, ...steps] : [start]);
    if (wait) await sights.until(({ steps: all }) => isReady(all));
  } finally {
    await sights.end();
  }
  note(wait ? 'The server is ready. `sotto connect` tells how a wallet reaches it.' : STARTED);
}

const STARTED = 'The services are started. `sotto status --watch` shows how far they are.';

async function upWithLines(stack: Stack, { wait, signal }: Running): Promise<void> {
  const { bringUp } = await import('../../stack/bring-up.ts');
  const { followStack } = await import('../../stack/follow-stack.ts');
  await bringUp(stack, { signal });
  const { onions } = stack.plan;
  if (!wait) {
    print(JSON.stringify({ started: true, onions }));
    return;
  }
  const told = new Map<StepId, string>();
  const log = stderrLogger('warn');
  for await (const { steps } of followStack(stack, { clock: Date.now, log, signal })) {
    for (const step of steps) {
      const key = stepKey(step);
      if (told.get(step.id) !== key) print(JSON.stringify(step));
      told.set(step.id, key);
    }
    if (isReady(steps)) break;
  }
  print(JSON.stringify({ ready: true, onions }));
}
