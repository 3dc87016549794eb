import { removeDevice, requireRevocable } from './devices.ts';
import type { Plan } from './plan.ts';
import { replaceOnion } from './replace-onion.ts';

export interface RevokeOptions {
  readonly plan: Plan;
  readonly name: string;
  /** Aborts before the change only. */
  readonly signal: AbortSignal;
}

/**
 * Takes a device's key away. Once this resolves it is not let in any more, and what it had open is
 * closed; so is for a moment what the others had.
 * @returns whether a tor runs, and has been told.
 * @throws UserError when there is no such device, or tor does not do as it is told.
 */
export async function revokeDevice({ plan, name, signal }: RevokeOptions): Promise<boolean> {
  const { home, config } = plan;
  await requireRevocable(home, name);
  const change = (): Promise<void> => removeDevice(home, name);
  if (!config.openWallet) return replaceOnion({ plan, name: 'wallet', change, signal });
  await change();
  return false;
}
