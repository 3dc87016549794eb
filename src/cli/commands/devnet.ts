import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { formatAddress } from '../../io/dial.ts';
import type { ControlCommand } from '../../devnet/control.ts';
import { untilInterrupted } from '../interrupt.ts';
import { LOG_LEVELS, type LogLevel, stderrLogger } from '../logger.ts';
import { note, print, printJson } from '../output.ts';
import { serveUntilAborted } from '../serve.ts';
import { wholeNumber } from '../whole-number.ts';

interface DevnetOptions {
  readonly chain: 'embedded' | 'core';
  readonly host: string;
  readonly port: number;
  readonly directory: string;
  readonly json?: true;
  readonly logLevel: LogLevel;
}

interface ControlOptions {
  readonly directory: string;
  readonly json?: true;
}

const LOOPBACK = '127.0.0.1';
const DEFAULT_PORT = 50_001;
const SATOSHIS = 100_000_000;

export function devnetCommand(): Command {
  const devnet = new Command('devnet')
    .enablePositionalOptions()
    .description('run a regtest chain with an Electrum server')
    .addOption(
      new Option('--chain <kind>', 'in memory, or bitcoind with Fulcrum or electrs from PATH')
        .choices(['embedded', 'core'])
        .default('embedded'),
    )
    .option(
      '--host <address>',
      'where the Electrum server of the embedded chain listens; 0.0.0.0 only in a container',
      ipArgument,
      LOOPBACK,
    )
    .option(
      '--port <n>',
      'of the Electrum server; 0 for a free one',
      wholeNumber(0, 65_535),
      DEFAULT_PORT,
    )
    .addOption(directoryOption())
    .option('--json', 'print where it listens as one line of JSON')
    .addOption(new Option('--log-level <level>', 'on stderr').choices(LOG_LEVELS).default('warn'))
    .addHelpText(
      'after',
      '\nRuns until Ctrl-C. The other commands talk to it from another terminal.',
    )
    .action(async (options: DevnetOptions) => {
      if (options.chain === 'core' && options.host !== LOOPBACK) {
        throw new UserError('--host goes with the embedded chain');
      }
      const { startDevnet } = await import('../../devnet/devnet.ts');
      await untilInterrupted(async (signal) => {
        const log = stderrLogger(options.logLevel);
        await using running = await startDevnet({ ...options, clock: Date.now, log, signal });
        const electrum = formatAddress(running.electrum);
        if (options.json) print(JSON.stringify({ electrum, control: running.controlPath }));
        else {
          print(`Electrum server  ${electrum} (regtest, no TLS)`);
          note(
            'A bridge in front of it:\n' +
              `  sotto bridge --direct --network regtest --server ${electrum} --listen ${LOOPBACK}:50011\n` +
              'Ctrl-C ends it. From another terminal: sotto devnet mine|pay|reorg|info',
          );
        }
        await serveUntilAborted(running, signal);
      });
    });
  devnet.addCommand(
    controlCommand('info', 'tell the tip and where the Electrum server listens').action(
      async (options: ControlOptions) => {
        await control({ command: 'info' }, options);
      },
    ),
  );
  devnet.addCommand(
    controlCommand('mine', 'mine blocks; the first confirms the mempool')
      .addArgument(
        new Argument('[blocks]', 'how many').argParser(wholeNumber(1, 10_000)).default(1),
      )
      .action(async (blocks: number, options: ControlOptions) => {
        await control({ command: 'mine', blocks }, options);
      }),
  );
  devnet.addCommand(
    controlCommand('pay', 'pay to an address, unconfirmed')
      .argument('<address>', 'on regtest')
      .addArgument(new Argument('<amount>', 'in bitcoins, such as 0.05').argParser(amountInSats))
      .action(async (address: string, sats: number, options: ControlOptions) => {
        await control({ command: 'pay', address, sats }, options);
      }),
  );
  devnet.addCommand(
    controlCommand('reorg', 'replace the last blocks by one more')
      .addArgument(new Argument('<depth>', 'how many blocks').argParser(wholeNumber(1, 1000)))
      .action(async (depth: number, options: ControlOptions) => {
        await control({ command: 'reorg', depth }, options);
      }),
  );
  return devnet;
}

function controlCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(directoryOption())
    .option('--json', 'print one object');
}

async function control(
  command: ControlCommand,
  { directory, json }: ControlOptions,
): Promise<void> {
  const { askControl } = await import('../../devnet/control.ts');
  const { controlPathIn } = await import('../../devnet/devnet.ts');
  const path = controlPathIn(directory);
  const result = await untilInterrupted((signal) => askControl(path, command, signal));
  if (json) {
    printJson(result);
    return;
  }
  if (result.txid !== undefined) print(`transaction  ${result.txid}`);
  print(`tip          ${result.height} ${result.hash}`);
  print(`Electrum     ${result.electrum}`);
}

function directoryOption(): Option {
  const data = process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share');
  return new Option('--directory <path>', 'private; holds the control socket')
    .env('SOTTO_DEVNET')
    .default(join(data, 'sotto', 'devnet'));
}

function amountInSats(text: string): number {
  if (!/^\d{1,8}(\.\d{1,8})?$/.test(text) || Number(text) === 0) {
    throw new InvalidArgumentError('Expected bitcoins, such as 0.05.');
  }
  return Math.round(Number(text) * SATOSHIS);
}

/** A name would be asked for in clear. @throws InvalidArgumentError */
function ipArgument(text: string): string {
  if (z.union([z.ipv4(), z.ipv6()]).safeParse(text).success) return text;
  throw new InvalidArgumentError('It is not an IP address.');
}
