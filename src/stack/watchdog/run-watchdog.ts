import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { unlessAborted } from '../../base/unless-aborted.ts';
import { writeDurably } from '../../io/durable-file.ts';
import type { ControlClient } from '../../tor/control-client.ts';
import { connectTorControl } from '../../tor/open-control.ts';
import { beginWatch, nextWatch, type Remedy, type TorHealth, type Watch } from './ladder.ts';
import { readWatchdogStatus, writeWatchdogStatus } from './status-file.ts';

export interface WatchdogOptions {
  /** tor's data directory in a home: `run/` and `state/` are in it. Absolute. */
  readonly torDirectory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Until when. */
  readonly signal: AbortSignal;
  /** Between two looks. */
  readonly intervalMs?: number;
}

const INTERVAL_MS = 15_000;
/** A tor that is well answers in milliseconds. */
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Looks at a tor again and again, and tries to free it when it is cut off from its network.
 * Rejects once the signal has aborted.
 */
export async function runWatchdog(options: WatchdogOptions): Promise<never> {
  const { torDirectory, clock, log, signal, intervalMs = INTERVAL_MS } = options;
  await using tor = new WatchedTor(torDirectory);
  const before = await readWatchdogStatus(torDirectory);
  let watch = beginWatch(
    clock(),
    before?.since === undefined ? undefined : { ...before, since: Date.parse(before.since) },
  );
  let told: Watch | undefined;
  for (;;) {
    const health = await tor.look(signal);
    const next = nextWatch(watch, health, clock());
    watch = next.watch;
    if (told === undefined || tellsOthers(told, watch)) {
      const { kind, percent } = watch;
      log[kind === 'well' ? 'info' : 'warn'](WORDS[kind], { percent });
      await tell(watch, options);
      told = watch;
    }
    // Told first: a watchdog that is ended here does not wipe again.
    if (next.remedy) await tryRemedy(next.remedy, { tor, log, signal });
    await sleep(intervalMs, undefined, { signal });
  }
}

const WORDS: Readonly<Record<Watch['kind'], string>> = {
  well: 'tor is connected, or sleeps because nobody uses it',
  'cut-off': 'tor has no way into its network',
  absent: 'tor does not run, or does not answer',
  'given-up':
    'all that helps a tor was tried: look whether this machine is online and its clock is right',
};

const REMEDIES: Readonly<Record<Remedy, string>> = {
  'drop-guards': 'tor got no further: it chooses new guards',
  'wipe-state': 'tor got no further: it starts anew without what it had cached; keys stay',
};

interface Trying {
  readonly tor: WatchedTor;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

async function tryRemedy(remedy: Remedy, { tor, log, signal }: Trying): Promise<void> {
  log.warn(REMEDIES[remedy]);
  try {
    await (remedy === 'drop-guards' ? tor.dropGuards(signal) : tor.wipeState(signal));
  } catch (error) {
    signal.throwIfAborted();
    log.error('tor did not do as it was told', { error: messageOf(error) });
  }
}

/** A full disk must not keep it from freeing tor. */
async function tell(watch: Watch, { torDirectory, log }: WatchdogOptions): Promise<void> {
  try {
    await writeWatchdogStatus(torDirectory, watch);
  } catch (error) {
    log.error('the status file cannot be written', { error: messageOf(error) });
  }
}

/** A file is written and a line logged for changes only. */
function tellsOthers(before: Watch, after: Watch): boolean {
  return (['kind', 'since', 'percent', 'tried', 'wiped'] as const).some(
    (field) => before[field] !== after[field],
  );
}

/** One connection to tor's control socket, made anew when it is lost. */
class WatchedTor implements AsyncDisposable {
  readonly #directory: string;
  #control: ControlClient | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async look(signal: AbortSignal): Promise<TorHealth> {
    try {
      return await this.#ask(signal, async (control) => {
        const [phase, hasCircuit, isDormant] = await Promise.all([
          control.bootstrapPhase(),
          control.getInfo('status/circuit-established'),
          control.getInfo('dormant'),
        ]);
        const { percent } = phase;
        if (isDormant === '1' || (percent === 100 && hasCircuit === '1')) return { kind: 'well' };
        return { kind: 'cut-off', percent };
      });
    } catch {
      signal.throwIfAborted();
      return { kind: 'absent' };
    }
  }

  dropGuards(signal: AbortSignal): Promise<void> {
    return this.#ask(signal, async (control) => {
      await control.dropGuards();
      await control.signal('NEWNYM');
    });
  }

  /** Who starts tor again, wipes: its files are not to be touched while it runs. */
  async wipeState(signal: AbortSignal): Promise<void> {
    await writeDurably(join(this.#directory, 'run', 'wipe-state'), '');
    await this.#ask(signal, (control) => control.signal('SHUTDOWN'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#control?.[Symbol.asyncDispose]();
  }

  async #ask<T>(stop: AbortSignal, ask: (control: ControlClient) => Promise<T>): Promise<T> {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
    const control = (this.#control ??= await this.#connect(signal));
    try {
      return await unlessAborted(ask(control), signal);
    } catch (error) {
      this.#control = undefined;
      await control[Symbol.asyncDispose]();
      throw error;
    }
  }

  #connect(signal: AbortSignal): Promise<ControlClient> {
    const run = join(this.#directory, 'run');
    return connectTorControl({
      socket: join(run, 'control'),
      cookieFile: join(run, 'cookie'),
      signal,
    });
  }
}
