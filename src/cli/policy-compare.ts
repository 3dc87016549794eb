import { Command } from 'commander';
import { UserError } from '../base/errors.ts';
import { comparePolicies, type PolicyChange } from '../directory/policy-change.ts';
import { absolutePath } from './absolute-path.ts';
import { readPolicy } from './client-options.ts';
import { print, printJson } from './output.ts';

interface CompareOptions {
  readonly json?: true;
}

export function comparePoliciesCommand(): Command {
  return new Command('compare')
    .description('when people with an older policy file go on beside a newer one')
    .argument('<older>', 'policy file that people have', absolutePath)
    .argument('<newer>', 'policy file that authorities are to go by', absolutePath)
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      '\nIt counts majorities; a line `quorum` of either file asks for more besides.',
    )
    .action(async (olderFile: string, newerFile: string, { json }: CompareOptions) => {
      const [older, newer] = [await readPolicy(olderFile), await readPolicy(newerFile)];
      if (older.network !== newer.network) {
        throw new UserError(`one is of ${older.network}, the other of ${newer.network}`);
      }
      const change = comparePolicies(older, newer);
      if (json) printJson(change);
      else show(change);
    });
}

function show({ stay, come, go, toStart, forOlder, olderGoesOn }: PolicyChange): void {
  const staying = stay.join(', ');
  const startsNever = stay.length < toStart;
  const goesOn: Readonly<Record<PolicyChange['olderGoesOn'], string>> = {
    always: 'goes on whenever the newer one does',
    'when-enough-sign': `goes on as long as ${forOlder} of ${staying} sign`,
    never: 'ends: too few of its authorities stay',
  };
  print(`stay        ${staying || 'nobody'}`);
  print(`come        ${come.join(', ') || 'nobody'}`);
  print(`go          ${go.join(', ') || 'nobody'}`);
  print(
    startsNever
      ? 'newer file  never starts: too few stay to have signed the consensus before'
      : `newer file  starts after a consensus that ${toStart} of ${staying} signed`,
  );
  print(`older file  ${goesOn[olderGoesOn]}`);
}
