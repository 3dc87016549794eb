import { fromUtf8 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import type { RelayMembership } from '../config/stack-config.ts';
import { readIfPresent, writeDurably } from '../io/durable-file.ts';
import { forgetPublication } from '../node/publication-file.ts';
import { whileHomeIsLocked } from './home-lock.ts';
import type { Home } from './home.ts';
import { withMembership } from './stack-config-text.ts';

/**
 * Says in `sotto.yaml` which network the node joins or leaves. It is so from the next `bringUp` on.
 * @throws UserError when another command changes the same server.
 */
export async function changeMembership(home: Home, relay: RelayMembership): Promise<void> {
  await whileHomeIsLocked(home, async () => {
    const held = await readIfPresent(home.configFile);
    if (held === undefined) throw new UserError(`there is no file ${home.configFile}`);
    const text = fromUtf8(held);
    const changed = withMembership(text, relay);
    if (changed === text) return;
    await writeDurably(home.configFile, changed);
    await forgetPublication(home.data('node'));
  });
}
