import { resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { UserError } from '../../base/errors.ts';
import { createSecretFile } from '../../io/durable-file.ts';
import { isCode } from '../../io/file-tree.ts';
import type { DeviceAccess } from '../../stack/devices.ts';
import type { Stack } from '../../stack/open-stack.ts';
import { homeOption } from '../home-option.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { formatTable, note, print, printJson } from '../output.ts';

export function deviceCommand(): Command {
  return new Command('device')
    .description('the devices that may reach the private onion of this server')
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand());
}

interface AddOptions {
  readonly home: string;
  readonly out?: string;
  readonly json?: true;
}

function addCommand(): Command {
  return new Command('add')
    .description('make a key for a device, and show it this once')
    .argument('<name>', 'small letters, digits and hyphens: my-phone')
    .addOption(homeOption)
    .option(
      '--out <file>',
      'write the line to this new file, for its owner alone, and do not show it',
    )
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      '\nThe server keeps the public half only. A key that is lost: revoke, then add.',
    )
    .action(async (name: string, options: AddOptions) => {
      const { addDevice } = await import('../../stack/devices.ts');
      const { reloadTor } = await import('../../stack/ask-tor.ts');
      await untilInterrupted(async () => {
        const { plan, home, config } = await open(options.home);
        const access = await addDevice(plan, name);
        const file = options.out === undefined ? undefined : resolve(options.out);
        if (file !== undefined) await writeAccess(home, access, file);
        const isRunning = await reloadTor(home);
        if (options.json) printJson(toJson(access, file, isRunning));
        else await show(access, file);
        if (config.openWallet)
          note('The wallet onion is open now (open_wallet): it asks nobody for a key.');
        else if (!isRunning) note('The server does not run: start it with `sotto up`.');
      });
    });
}

/** Nobody has seen the key when it cannot be written: then it is none. */
async function writeAccess(
  home: Stack['home'],
  { name, line }: DeviceAccess,
  file: string,
): Promise<void> {
  const { removeDevice } = await import('../../stack/devices.ts');
  try {
    await createSecretFile(file, `${line}\n`);
  } catch (cause) {
    await removeDevice(home, name);
    if (!isCode(cause, 'EEXIST', 'ENOENT')) throw cause;
    throw new UserError(
      isCode(cause, 'EEXIST') ? `${file} is there already` : `there is no directory for ${file}`,
      { hint: 'Name a file that can be made. No device was added.', cause },
    );
  }
}

function toJson(access: DeviceAccess, file: string | undefined, isRunning: boolean): unknown {
  const { name, onion, fileName, line } = access;
  return {
    name,
    onion,
    fileName,
    ...(file === undefined ? { line } : { file }),
    running: isRunning,
  };
}

async function show(
  { name, fileName, line }: DeviceAccess,
  file: string | undefined,
): Promise<void> {
  note(`The device "${name}" has a key from now on.\n`);
  print(file ?? line);
  if (file === undefined && process.stdout.isTTY) {
    const { terminalQr } = await import('../qr.ts');
    print(`\n${terminalQr(line)}`);
  }
  note(
    [
      '',
      file === undefined
        ? `tor     save the line as ${fileName}, readable for its user alone,`
        : `tor     move that file to the device as ${fileName}, readable for its user alone,`,
      '        in the directory that ClientOnionAuthDir names in its torrc, then reload it',
      'Orbot   the menu, Onion Services, Client Authorization: the onion, and the part after the last colon',
      '',
      'It is not shown again: the server keeps the other half only.',
      '`sotto connect` tells what to enter in the wallet.',
    ].join('\n'),
  );
}

interface ListOptions {
  readonly home: string;
  readonly json?: true;
}

function listCommand(): Command {
  return new Command('list')
    .description('the devices that have a key')
    .addOption(homeOption)
    .option('--json', 'print an array of objects')
    .action(async (options: ListOptions) => {
      const { listDevices, OWN_DEVICE } = await import('../../stack/devices.ts');
      const { home, config } = await open(options.home);
      const devices = await listDevices(home);
      const rows = devices.map(({ name, publicKey }) => ({
        name,
        publicKey,
        isOwn: name === OWN_DEVICE,
      }));
      if (options.json) {
        printJson(rows.map(({ name, publicKey, isOwn }) => ({ name, publicKey, own: isOwn })));
        return;
      }
      if (rows.length === 0) note('No device has a key. Give one to: sotto device add NAME');
      else
        print(
          formatTable([
            ['name', 'public key', ''],
            ...rows.map(({ name, publicKey, isOwn }) => [
              name,
              publicKey ?? 'damaged: tor passes over it',
              isOwn ? 'this server itself' : '',
            ]),
          ]),
        );
      if (config.openWallet)
        note('The wallet onion is open (open_wallet): it asks nobody for a key.');
    });
}

function revokeCommand(): Command {
  return new Command('revoke')
    .description('take the key of a device away, and close what it has open')
    .argument('<name>', 'as `sotto device list` shows it')
    .addOption(homeOption)
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      '\nThe other devices are cut off for some seconds, and come in again by themselves.',
    )
    .action(async (name: string, options: ListOptions) => {
      const { revokeDevice } = await import('../../stack/revoke-device.ts');
      await untilInterrupted(async (signal) => {
        const { plan } = await open(options.home);
        const isRunning = await revokeDevice({ plan, name, signal });
        if (options.json) printJson({ name, revoked: true, running: isRunning });
        else print(`The device "${name}" is not let in any more.`);
      });
    });
}

async function open(home: string): Promise<Stack> {
  const { openStack } = await import('../../stack/open-stack.ts');
  return openStack(home, { log: stderrLogger('warn') });
}
