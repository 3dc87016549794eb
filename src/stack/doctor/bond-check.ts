import { messageOf, UserError } from '../../base/errors.ts';
import { silent } from '../../base/log.ts';
import { DirectoryError } from '../../directory/directory-error.ts';
import { nodeIdOf } from '../../directory/node-id.ts';
import { signingKeyFromSeed } from '../../directory/signing-key.ts';
import { startElectrumClient } from '../../electrum/client.ts';
import { checkBond } from '../../node/check-bond.ts';
import { readIdentity } from '../../node/node-keys.ts';
import type { Check } from '../finding.ts';
import type { Stack } from '../open-stack.ts';
import { failure, fine, warning } from '../outcome.ts';

const TIMEOUT_MS = 20_000;
const SIGN_AGAIN = 'Make it anew: docs/bonds.md, step 2.';

/** The bond is this node's, and counts by the headers of its own target. */
export function bondCheck(
  bondFile: string,
  { plan, backend }: Pick<Stack, 'plan' | 'backend'>,
): Check {
  return {
    id: 'bond',
    title: 'bond',
    async run({ signal }) {
      const identity = await readIdentity(plan.home.data('node'));
      const nodeId = nodeIdOf(signingKeyFromSeed(identity).publicKey);
      await using client = await startElectrumClient({
        dial: (dialing) => backend.dialElectrum('target', { signal: dialing }),
        clientName: 'sotto',
        timeoutMs: TIMEOUT_MS,
        log: silent,
        signal,
      });
      try {
        const { sats, daysLeft, endsSoon } = await checkBond(bondFile, { nodeId, client, signal });
        const found = `${sats} satoshis, for ${daysLeft} days still`;
        return endsSoon ? warning(found, SIGN_AGAIN) : fine(found);
      } catch (error) {
        if (error instanceof UserError) return failure(error.message, error.hint ?? SIGN_AGAIN);
        if (error instanceof DirectoryError) return failure(messageOf(error), SIGN_AGAIN);
        throw error;
      }
    },
  };
}
