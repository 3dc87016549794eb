import { join } from 'node:path';
import { removeIfPresent } from '../../io/durable-file.ts';
import { kindOf, namesIfPresent, removeTree } from '../../io/file-tree.ts';
import { requireDevice } from '../devices.ts';
import type { Plan } from '../plan.ts';

/** tor's own keys, the only part of its state that is not to be learnt again. */
const KEYS = 'keys';

/**
 * What is to be done before each start of tor. Asked to by the watchdog, it forgets guards, consensus
 * and descriptors.
 * @throws UserError when no device's key protects an onion that is to be private.
 */
export async function beforeTor({ home, config }: Pick<Plan, 'home' | 'config'>): Promise<void> {
  await requireDevice({ home, config });
  const marker = join(home.data('tor'), 'run', 'wipe-state');
  if ((await kindOf(marker)) === undefined) return;
  const state = join(home.data('tor'), 'state');
  for (const name of await namesIfPresent(state)) {
    if (name !== KEYS) await removeTree(join(state, name));
  }
  await removeIfPresent(marker);
}
