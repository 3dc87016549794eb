import { loadText } from '../../config/load.ts';
import type { StackConfig } from '../../config/stack-config.ts';
import { parsePolicy } from '../../directory/policy.ts';
import { readIfPresent } from '../../io/durable-file.ts';
import type { Check } from '../finding.ts';
import { failure, fine } from '../outcome.ts';

/** The policy is one that a node can join by: of its network, with authorities that can be reached. */
export function policyCheck(policyFile: string, { network }: Pick<StackConfig, 'network'>): Check {
  return {
    id: 'policy',
    title: 'policy',
    async run() {
      if ((await readIfPresent(policyFile)) === undefined) {
        return failure(`there is no file ${policyFile}`, 'Name the file of the network to join.');
      }
      const policy = parsePolicy(await loadText(policyFile));
      if (policy.network !== network) {
        return failure(
          `it is for ${policy.network}, and this server is of ${network}`,
          'Another network needs another home.',
        );
      }
      const { length: all } = policy.authorities;
      const { length: reached } = policy.authorities.filter(({ onion }) => onion !== undefined);
      // With fewer a descriptor would not come into more than half of the votes.
      if (reached <= all / 2) {
        return failure(
          `it says of ${reached} of ${all} authorities where they are`,
          'Get a newer one from the founders of the network.',
        );
      }
      return fine(`${reached} of ${all} authorities are told the node’s descriptor`);
    },
  };
}
