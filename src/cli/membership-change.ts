import { UserError } from '../base/errors.ts';
import type { RelayMembership } from '../config/stack-config.ts';
import type { Stack } from '../stack/open-stack.ts';
import { type ListedObservation, valueOf } from '../stack/readiness/observations.ts';
import { STEP_TITLES } from '../stack/readiness/step.ts';
import { stderrLogger } from './logger.ts';
import { runSteps } from './progress.ts';
import { settled, Sights } from './sights.ts';

export interface MembershipChange {
  readonly home: string;
  readonly relay: RelayMembership;
  readonly wait: boolean;
  readonly signal: AbortSignal;
}

/**
 * Writes it, restarts the node with it, and waits until the consensus says the same; gives what is known
 * of the listing then.
 */
export async function changeAndWait({
  home,
  relay,
  wait,
  signal,
}: MembershipChange): Promise<ListedObservation | undefined> {
  const { changeMembership } = await import('../stack/change-membership.ts');
  const { openStack } = await import('../stack/open-stack.ts');
  const { bringUp } = await import('../stack/bring-up.ts');
  const { followStack } = await import('../stack/follow-stack.ts');
  const { homeAt } = await import('../stack/home.ts');
  const log = stderrLogger('warn');
  await changeMembership(homeAt(home), relay);
  const stack: Stack = await openStack(home, { log });
  const start = {
    title: 'the node is told',
    run: async (detail: (text: string) => void) => {
      await bringUp(stack, { signal, onProgress: detail });
      return relay.leave === true ? 'it leaves' : 'it publishes its descriptor';
    },
  };
  const sights = new Sights(followStack(stack, { clock: Date.now, log, signal }));
  const listed = {
    title: STEP_TITLES.listed,
    run: (detail: (text: string) => void) => settled('listed', { sights, detail }),
  };
  try {
    await runSteps(wait ? [start, listed] : [start]);
    if (!wait) return undefined;
    return valueOf((await sights.until(() => true)).observations.listed);
  } finally {
    await sights.end();
  }
}

/** @throws UserError unless a server is there and up. */
export async function requireRunning(stack: Stack, signal: AbortSignal): Promise<void> {
  const states = await stack.backend.states({ signal });
  if (states.some(({ service, state }) => service === 'node' && state === 'running')) return;
  throw new UserError('the node does not run', { hint: 'Start the server first: sotto up' });
}
