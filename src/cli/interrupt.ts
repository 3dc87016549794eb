import { setMaxListeners } from 'node:events';
import process from 'node:process';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const PARENT_CHECK_MS = 500;

/** The person stopped the command. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  override readonly message = 'interrupted';
}

/**
 * Runs a command whose signal aborts at the first Ctrl-C, so that it stops in order. The second
 * Ctrl-C ends the process at once; what it leaves behind is the reaper's.
 */
export async function untilInterrupted<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  // Everything that waits listens to it: a whole wallet's lookups are no leak.
  setMaxListeners(0, controller.signal);
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort(new InterruptedError());
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  const watch = watchParent(interrupt);
  try {
    return await run(controller.signal);
  } catch (error) {
    // What was under way may say it was aborted in words of its own.
    if (controller.signal.aborted) throw controller.signal.reason;
    throw error;
  } finally {
    clearInterval(watch);
    for (const name of SIGNALS) process.off(name, interrupt);
  }
}

/**
 * npm passes signals on, but dies of SIGKILL without a word: then nobody is left to stop us. The
 * script's `exec` makes npm our parent, rather than its shell.
 */
function watchParent(interrupt: () => void): NodeJS.Timeout | undefined {
  if (process.env['npm_lifecycle_event'] === undefined) return undefined;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    interrupt();
  }, PARENT_CHECK_MS);
  return timer.unref();
}
