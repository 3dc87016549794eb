import type { Running } from '../base/lifecycle.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import { InterruptedError } from './interrupt.ts';

/** Waits while a service runs. Being stopped by the person is how it ends well; failing is not. */
export async function serveUntilAborted(
  service: Pick<Running, 'failed'>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await unlessAborted(service.failed, signal);
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
  }
}
