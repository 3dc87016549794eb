import { messageOf, UserError } from '../base/errors.ts';
import type { Waiting } from './backend.ts';
import type { Check, Finding } from './finding.ts';

/**
 * Runs checks one after the other.
 * @throws the signal's reason.
 */
export async function runChecks(
  checks: readonly Check[],
  { signal, onFinding }: Waiting & { readonly onFinding?: (finding: Finding) => void },
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const check of checks) {
    const finding = await runCheck(check, { signal });
    findings.push(finding);
    onFinding?.(finding);
  }
  return findings;
}

/**
 * One that cannot be made is one that fails: that nothing bad was seen is then no proof.
 * @throws the signal's reason.
 */
export async function runCheck(check: Check, { signal }: Waiting): Promise<Finding> {
  const { id, title } = check;
  try {
    return { id, title, ...(await check.run({ signal })) };
  } catch (error) {
    signal.throwIfAborted();
    const found = `not to be checked: ${messageOf(error)}`;
    const todo = error instanceof UserError ? error.hint : undefined;
    return { id, title, verdict: 'fail', found, ...(todo !== undefined && { todo }) };
  }
}
