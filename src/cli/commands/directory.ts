import { join } from 'node:path';
import { Command } from 'commander';
import { Scope } from '../../base/lifecycle.ts';
import { describeConsensus, type NodeRow } from '../../directory/describe-consensus.ts';
import type { Address } from '../../io/dial.ts';
import { socksDial } from '../../io/socks-dial.ts';
import {
  policyOption,
  readPolicy,
  socksOption,
  stateDirectory,
  stateOption,
} from '../client-options.ts';
import { evidenceCommand } from '../directory-evidence.ts';
import { verifyFileCommand } from '../directory-verify.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { formatTable, print, printJson } from '../output.ts';

interface ShowOptions {
  readonly policy?: string;
  readonly socks: Address;
  readonly state?: string;
  readonly json?: true;
}

export function directoryCommand(): Command {
  return new Command('directory')
    .description('the list of nodes, as the authorities signed it')
    .addCommand(showCommand())
    .addCommand(verifyFileCommand())
    .addCommand(evidenceCommand());
}

function showCommand(): Command {
  return new Command('show')
    .description('fetch the consensus from a relay, verify it and list its nodes')
    .addOption(policyOption)
    .addOption(socksOption)
    .addOption(stateOption)
    .option('--json', 'print one object')
    .action(async (options: ShowOptions) => {
      const policy = await readPolicy(options.policy);
      const dial = socksDial(options.socks);
      const { networkOf, openClientDirectory } = await import('../../lookup/client-directory.ts');
      const network = networkOf(policy);
      const directory = join(stateDirectory(options.state, network), 'relayed');
      await untilInterrupted(async (signal) => {
        const clock = Date.now;
        const log = stderrLogger('warn');
        await using scope = new Scope();
        const opened = await openClientDirectory({ policy, dial, directory, clock, log });
        scope.use(opened.pool);
        const consensus = await scope.use(opened.consensus).refresh({ signal });
        const described = describeConsensus(consensus, clock());
        if (options.json) printJson(described);
        else {
          const { epoch, state, validUntil, hash, nodes } = described;
          print(`consensus ${epoch} of ${network}, ${state}, valid until ${validUntil}`);
          print(`hash ${hash}\n`);
          print(formatTable([HEAD, ...nodes.map(rowOf)]));
        }
      });
    });
}

const HEAD = ['node', 'weight', 'roles', 'flags', 'family', 'onion'];

function rowOf({ nodeId, weight, roles, flags, family, onion }: NodeRow): (string | number)[] {
  const others = flags.filter((flag) => flag !== 'Relay' && flag !== 'Gateway');
  return [nodeId, weight, roles.join(','), others.join(','), family, onion];
}
