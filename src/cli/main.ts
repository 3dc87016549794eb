#!/usr/bin/env node
import process from 'node:process';
import { Command, CommanderError } from 'commander';
import { authorityCommand } from './commands/authority.ts';
import { backupCommand } from './commands/backup.ts';
import { bondCommand } from './commands/bond.ts';
import { bridgeCommand } from './commands/bridge.ts';
import { connectCommand } from './commands/connect.ts';
import { demoCommand } from './commands/demo.ts';
import { destroyCommand } from './commands/destroy.ts';
import { deviceCommand } from './commands/device.ts';
import { devnetCommand } from './commands/devnet.ts';
import { directoryCommand } from './commands/directory.ts';
import { doctorCommand } from './commands/doctor.ts';
import { downCommand } from './commands/down.ts';
import { guardCommand } from './commands/guard.ts';
import { initCommand } from './commands/init.ts';
import { joinCommand } from './commands/join.ts';
import { leaveCommand } from './commands/leave.ts';
import { logsCommand } from './commands/logs.ts';
import { lookupCommand } from './commands/lookup.ts';
import { nodeCommand } from './commands/node.ts';
import { policyCommand } from './commands/policy.ts';
import { restartCommand } from './commands/restart.ts';
import { restoreCommand } from './commands/restore.ts';
import { rotateCommand } from './commands/rotate.ts';
import { runCommand } from './commands/run.ts';
import { statusCommand } from './commands/status.ts';
import { upCommand } from './commands/up.ts';
import { updateCommand } from './commands/update.ts';
import { verifyCommand } from './commands/verify.ts';
import { watchdogCommand } from './commands/watchdog.ts';
import { describeError, hasPrinted, note, printJson, tolerateClosedReaders } from './output.ts';
import { packageVersion } from './version.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

function program(): Command {
  const sotto = new Command('sotto')
    .description('Your own Bitcoin Electrum server behind Tor, and lookups no server can link.')
    .version(packageVersion(), '-V, --version')
    // An option after the name of a command is that command's.
    .enablePositionalOptions()
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong usage. What failed with --json prints {"ok": false, "message"}.',
    );
  for (const [heading, commands] of Object.entries(commandsByHeading())) {
    for (const command of commands) sotto.addCommand(command.helpGroup(heading));
  }
  sotto.addCommand(watchdogCommand(), { hidden: true });
  settle(sotto, 'sotto');
  return sotto;
}

/** In the order in which a person meets them. */
function commandsByHeading(): Readonly<Record<string, readonly Command[]>> {
  return {
    'Your own server:': [
      initCommand(),
      upCommand(),
      statusCommand(),
      connectCommand(),
      deviceCommand(),
      doctorCommand(),
      logsCommand(),
      restartCommand(),
      downCommand(),
    ],
    'Its keys, versions and end:': [
      backupCommand(),
      restoreCommand(),
      rotateCommand(),
      verifyCommand(),
      updateCommand(),
      destroyCommand(),
    ],
    'Lookups:': [bridgeCommand(), lookupCommand(), directoryCommand(), policyCommand()],
    'Your node in the network:': [joinCommand(), leaveCommand(), bondCommand()],
    'To try and to develop:': [demoCommand(), devnetCommand()],
    'What the server consists of:': [
      runCommand(),
      nodeCommand(),
      guardCommand(),
      authorityCommand(),
    ],
  };
}

/** What commander does not hand down to commands that are added. */
function settle(command: Command, words: string): void {
  command.exitOverride().showHelpAfterError(`(${words} --help tells more)`);
  for (const each of command.commands) settle(each, `${words} ${each.name()}`);
}

tolerateClosedReaders();
const asked = { json: false };
try {
  await program()
    .hook('preAction', (_, command) => {
      asked.json = command.opts<{ json?: true }>().json === true;
    })
    .parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else {
    const message = describeError(error);
    note(`sotto: ${message}`);
    if (asked.json && !hasPrinted()) printJson({ ok: false, message });
    process.exitCode = EXIT_FAILED;
  }
}
