import { Argument, Command } from 'commander';
import { UserError } from '../../base/errors.ts';
import { homeAt, type OnionName, ONIONS } from '../../stack/home.ts';
import { askYes, hasTerminal } from '../ask.ts';
import { homeOption } from '../home-option.ts';
import { InterruptedError, untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { note, print, printJson } from '../output.ts';

interface RotateOptions {
  readonly home: string;
  readonly yes?: true;
  readonly json?: true;
}

export function rotateCommand(): Command {
  return new Command('rotate')
    .description('give an onion a new key, and so a new address; the old key is erased')
    .addArgument(new Argument('<onion>', 'which one').choices(ONIONS))
    .addOption(homeOption)
    .option('--yes', 'do not ask')
    .option('--json', 'print one object')
    .addHelpText('after', `\n${Object.values(CONSEQUENCES).join('\n')}`)
    .action(async (name: OnionName, { home, yes, json }: RotateOptions) => {
      const { rotateOnion } = await import('../../stack/rotate-onion.ts');
      const { listDevices, OWN_DEVICE } = await import('../../stack/devices.ts');
      await untilInterrupted(async (signal) => {
        if (!yes) await requireYes(name, signal);
        const rotated = await rotateOnion({ home, name, log: stderrLogger('warn'), signal });
        const devices = (await listDevices(homeAt(home)))
          .map((device) => device.name)
          .filter((device) => device !== OWN_DEVICE);
        if (json) {
          printJson({ onion: name, ...rotated, ...(name === 'wallet' && { devices }) });
          return;
        }
        const { former, address, isUp } = rotated;
        if (former === address) note('An interrupted rotation was brought to its end.');
        print(`${name} onion  ${address}`);
        if (!isUp) note('No tor runs: the new address is there from the next `sotto up` on.');
        if (name === 'wallet') noteDevices(address, devices);
        if (name === 'relay') note('The network lists the new address with its next consensus.');
        note('A backup made before brings the old address back: make a new one.');
      });
    });
}

const CONSEQUENCES: Readonly<Record<OnionName, string>> = {
  wallet: 'wallet: devices stay authorised, but each must be told the new address.',
  p2p: 'p2p: bitcoind restarts; its peers find the new address by themselves.',
  relay: 'relay: the node keeps its identity; the network must list it again.',
};

async function requireYes(name: OnionName, signal: AbortSignal): Promise<void> {
  if (!hasTerminal()) {
    throw new UserError('there is no terminal to ask on whether you are sure', {
      hint: 'Give --yes.',
    });
  }
  note(`The address of the ${name} onion stops working for good.\n${CONSEQUENCES[name]}`);
  const isSure = await askYes({ message: `Rotate the ${name} onion?`, signal });
  if (!isSure) throw new InterruptedError();
}

function noteDevices(address: string, devices: readonly string[]): void {
  if (devices.length > 0) {
    const label = address.replace(/\.onion$/, '');
    note(
      `On each of ${devices.join(', ')}: in sotto-NAME.auth_private, put\n${label}\n` +
        'in the place of all before the first colon; the rest stays. Then restart its tor.',
    );
  }
  note('`sotto connect` shows what to enter in wallets now.');
}
