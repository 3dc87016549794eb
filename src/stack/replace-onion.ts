import { join } from 'node:path';
import { readIfPresent, removeIfPresent, writeDurably } from '../io/durable-file.ts';
import { give } from '../io/ownership.ts';
import { waitUntil } from '../io/wait-until.ts';
import type { ControlClient } from '../tor/control-client.ts';
import { withoutOnion } from '../tor/torrc.ts';
import { askTor } from './ask-tor.ts';
import { requireDevice } from './devices.ts';
import { type Home, ONIONS, type OnionName } from './home.ts';
import { whileHomeIsLocked } from './home-lock.ts';
import { OPEN_WALLET_ONION, placesOf } from './plan-context.ts';
import type { Plan } from './plan.ts';

export interface ReplaceOnionOptions {
  readonly plan: Plan;
  readonly name: OnionName;
  /** What is to be otherwise: keys, devices. It may be interrupted, and is not done again. */
  readonly change: () => Promise<void>;
  /** Aborts before the change only. */
  readonly signal: AbortSignal;
}

const RELOAD_TIMEOUT_MS = 15_000;
const POLL_MS = 20;

/**
 * Changes what an onion is made of, and puts it up anew: a tor that runs takes the onion down with
 * all its circuits and introduction points, and then up with new ones. Without that, a client that
 * has come in stays in, and one that has the descriptor comes in for hours (docs/decisions/0020).
 *
 * When it is interrupted the onion is down, or tor has not heard of the change yet; `mendOnions`,
 * which each `sotto up` calls, brings it to its end.
 * @returns whether a tor runs, and has the onion as it is now.
 * @throws UserError when a tor runs and does not do as it is told.
 */
export async function replaceOnion(options: ReplaceOnionOptions): Promise<boolean> {
  const { plan, name, change, signal } = options;
  signal.throwIfAborted();
  return whileHomeIsLocked(plan.home, async () => {
    const mark = markOf(plan.home, name);
    await writeDurably(mark, '');
    await change();
    const isUp = await reopen(plan, name);
    await removeIfPresent(mark);
    return isUp;
  });
}

/** Brings to its end what `replaceOnion` was interrupted in. Call it once tor has been started. */
export async function mendOnions(plan: Plan): Promise<void> {
  for (const name of ONIONS) {
    const mark = markOf(plan.home, name);
    if ((await readIfPresent(mark)) === undefined) continue;
    await reopen(plan, name);
    await removeIfPresent(mark);
  }
}

/** Takes the onion down and up in a tor that runs; says whether one does. */
async function reopen(plan: Plan, name: OnionName): Promise<boolean> {
  const full = torrcOf(plan);
  const { data } = placesOf(plan, 'tor');
  const own = name === 'wallet' && plan.config.openWallet ? OPEN_WALLET_ONION : name;
  const closed = withoutOnion(full, `${data}/onions/${own}`);
  const isUp = await askTor(plan.home, async (control) => {
    // From here on nobody comes in, whatever happens.
    await reload(control, { plan, torrc: closed });
    if (name === 'wallet') await requireDevice(plan);
    await reload(control, { plan, torrc: full });
    return true;
  });
  return isUp ?? false;
}

interface Reload {
  readonly plan: Plan;
  readonly torrc: string;
}

async function reload(control: ControlClient, { plan, torrc }: Reload): Promise<void> {
  const path = join(plan.home.config('tor'), 'torrc');
  await writeDurably(path, torrc);
  await give(path, plan.user);
  await control.signal('RELOAD');
  // tor says yes at once, and reads the file later.
  const onions = torrc.match(/^HiddenServiceDir /gm)?.length;
  const isRead = async (): Promise<true | undefined> =>
    (await control.getConf('HiddenServiceDir')).length === onions || undefined;
  await waitUntil(isRead, {
    what: 'tor to read its torrc again',
    timeoutMs: RELOAD_TIMEOUT_MS,
    intervalMs: POLL_MS,
    signal: new AbortController().signal,
  });
}

function torrcOf({ services }: Plan): string {
  const tor = services.find(({ name }) => name === 'tor');
  const torrc = tor?.files.find(({ name }) => name === 'torrc');
  if (torrc === undefined) throw new Error('a plan without a torrc');
  return torrc.text;
}

function markOf({ directory }: Home, name: OnionName): string {
  return join(directory, `replacing-${name}`);
}
