import process from 'node:process';
import { Command } from 'commander';
import type { Holdings } from '../../stack/holdings.ts';
import type { Stack } from '../../stack/open-stack.ts';
import type { Sight } from '../../stack/readiness/watch-stack.ts';
import { homeOption } from '../home-option.ts';
import { InterruptedError, untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { print, printJson } from '../output.ts';
import { stepsKey } from '../readiness-view.ts';
import { type Status, statusJson, statusText } from '../status-view.ts';

interface StatusOptions {
  readonly home: string;
  readonly watch?: true;
  readonly json?: true;
}

/** What is on the disk changes slowly, and takes long to add up. */
const HOLDINGS_MS = 60_000;
const CLEAR = '\u001b[H\u001b[2J';

export function statusCommand(): Command {
  return new Command('status')
    .description('show what runs, and how far the server is')
    .addOption(homeOption)
    .option('--watch', 'go on until Ctrl-C')
    .option('--json', 'print one object; with --watch one a line whenever a step changes')
    .addHelpText('after', '\nIt changes nothing, and works while the server is stopped.')
    .action(async ({ home, watch, json }: StatusOptions) => {
      const { openStack } = await import('../../stack/open-stack.ts');
      const { lookAtStack } = await import('../../stack/readiness/watch-stack.ts');
      const { holdingsOf } = await import('../../stack/holdings.ts');
      await untilInterrupted(async (signal) => {
        const stack = await openStack(home, { log: stderrLogger('warn') });
        if (watch) {
          await keepShowing(stack, { json: json ?? false, signal });
          return;
        }
        const sight = await lookAtStack(stack, { clock: Date.now, signal });
        const status = await statusOf(stack, { sight, holdings: await holdingsOf(stack.plan) });
        if (json) printJson(statusJson(status));
        else print(statusText(status));
      });
    });
}

interface Seen {
  readonly sight: Sight;
  readonly holdings: Holdings;
}

async function statusOf(stack: Stack, { sight, holdings }: Seen): Promise<Status> {
  const { isInitialSyncOver } = await import('../../stack/end-initial-sync.ts');
  const isSyncEndDue = await isInitialSyncOver(stack, sight.steps);
  return { plan: stack.plan, sight, holdings, isSyncEndDue, nowMs: Date.now() };
}

/** Ctrl-C is how it ends well. */
async function keepShowing(
  stack: Stack,
  { json, signal }: { readonly json: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { watchStack } = await import('../../stack/readiness/watch-stack.ts');
  const { holdingsOf } = await import('../../stack/holdings.ts');
  const isLive = process.stdout.isTTY && !json;
  let holdings = await holdingsOf(stack.plan);
  let countedMs = Date.now();
  let told = '';
  try {
    for await (const sight of watchStack(stack, { clock: Date.now, signal })) {
      if (Date.now() - countedMs > HOLDINGS_MS) {
        holdings = await holdingsOf(stack.plan);
        countedMs = Date.now();
      }
      const status = await statusOf(stack, { sight, holdings });
      const key = stepsKey(sight.steps);
      if (isLive) print(`${CLEAR}${statusText(status)}`);
      else if (key !== told)
        print(json ? JSON.stringify(statusJson(status)) : `${statusText(status)}\n`);
      told = key;
    }
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
  }
}
