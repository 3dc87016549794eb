import { runProgram } from '../../io/run-program.ts';
import type { Clock } from '../../base/clock.ts';
import type { Check, Outcome } from '../finding.ts';
import { failure, fine, warning } from '../outcome.ts';

/** Before this program was written, and when it will have been forgotten. */
const SANE = [Date.UTC(2026, 10, 1), Date.UTC(2100, 0, 1)] as const;
const TIMEOUT_MS = 5_000;

/** tor finds no consensus valid when the clock is hours off; bitcoind no block. */
export function clockCheck(clock: Clock): Check {
  return {
    id: 'clock',
    title: 'clock',
    async run({ signal }): Promise<Outcome> {
      const now = clock();
      const found = new Date(now).toISOString().slice(0, 16).replace('T', ' ');
      if (now < SANE[0] || now > SANE[1]) {
        return failure(
          `it says ${found}, which cannot be`,
          'Set it: sudo timedatectl set-ntp true',
        );
      }
      const isSet = await isSynchronized(signal);
      if (isSet !== false) {
        return fine(
          isSet === undefined
            ? `${found} UTC (nobody to ask whether it is set by network)`
            : `${found} UTC, set by network`,
        );
      }
      return warning(
        `it says ${found} UTC, and nothing sets it by network`,
        'Tor needs it right to the hour: sudo timedatectl set-ntp true',
      );
    },
  };
}

/** Undefined where systemd does not know. */
async function isSynchronized(signal: AbortSignal): Promise<boolean | undefined> {
  try {
    const { code, stdout } = await runProgram({
      command: 'timedatectl',
      args: ['show', '--property=NTPSynchronized', '--value'],
      maxOutputBytes: 1000,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    return code === 0 ? stdout.trim() === 'yes' : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
