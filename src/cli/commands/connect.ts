import process from 'node:process';
import { Argument, Command } from 'commander';
import { UserError } from '../../base/errors.ts';
import type { BridgeLookup } from '../../config/stack-config.ts';
import type { Address } from '../../io/dial.ts';
import {
  WALLETS,
  type WalletName,
  type WalletStrings,
  walletStrings,
} from '../../stack/connect.ts';
import type { Stack } from '../../stack/open-stack.ts';
import { homeOption } from '../home-option.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { note, print, printJson } from '../output.ts';
import { walletSteps } from '../wallet-steps.ts';

interface ConnectOptions {
  readonly home: string;
  readonly lan?: true;
  readonly test: boolean;
  readonly json?: true;
}

interface Connection {
  readonly strings: WalletStrings;
  readonly address: Address;
  readonly isOnion: boolean;
  /** Of the server's tip; undefined when it was not asked. */
  readonly height: number | undefined;
  /** Names of those that have a key; undefined when none is needed. */
  readonly devices: readonly string[] | undefined;
  /** What the bridge asks that answers there; undefined where the Electrum server itself answers. */
  readonly bridge: BridgeLookup | undefined;
}

const BRIDGE_ASKS = {
  direct: "A bridge answers there, with what it has verified of the own Electrum server's answers.",
  relayed: 'A bridge answers there, with what it has verified of answers of the relay network.',
} as const;

/** Where tor listens on most machines with a wallet. */
const USUAL_PROXY = { host: '127.0.0.1', port: 9050 };

export function connectCommand(): Command {
  return new Command('connect')
    .description('tell a wallet how to reach this server, after trying it')
    .addArgument(new Argument('[wallet]', 'only this one').choices(WALLETS))
    .addOption(homeOption)
    .option('--lan', 'in the local network, without Tor (expose_lan in sotto.yaml)')
    .option('--no-test', 'print without asking the server first')
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      '\nAny other wallet: the host, the port 50001, TCP without TLS, and a SOCKS5 proxy.',
    )
    .action(async (wallet: WalletName | undefined, options: ConnectOptions) => {
      const { openStack } = await import('../../stack/open-stack.ts');
      await untilInterrupted(async (signal) => {
        const stack = await openStack(options.home, { log: stderrLogger('warn') });
        const connection = await connect(stack, options, signal);
        if (options.json) printJson(toJson(connection));
        else await show(connection, wallet);
      });
    });
}

async function connect(
  { plan, config, home }: Stack,
  { lan, test }: ConnectOptions,
  signal: AbortSignal,
): Promise<Connection> {
  const { network, exposeLan, openWallet } = config;
  const bridge = config.bridge?.lookup;
  const { testLan, testWalletOnion } = await import('../../stack/test-connection.ts');
  if (lan) {
    if (exposeLan === undefined) {
      throw new UserError('this server is not reached from the local network', {
        hint: 'Say expose_lan: ADDRESS:50001 in sotto.yaml, with its address there, then: sotto up',
      });
    }
    return {
      strings: walletStrings({ address: exposeLan, network }),
      address: exposeLan,
      isOnion: false,
      height: test ? await testLan(plan, exposeLan, signal) : undefined,
      devices: undefined,
      bridge,
    };
  }
  const { listDevices, OWN_DEVICE } = await import('../../stack/devices.ts');
  const { WALLET_PORT } = await import('../../stack/services/tor.ts');
  const names = (await listDevices(home)).map(({ name }) => name);
  const address = { host: plan.onions.wallet, port: WALLET_PORT };
  return {
    strings: walletStrings({ address, network, proxy: USUAL_PROXY }),
    address,
    isOnion: true,
    height: test ? await testWalletOnion(plan, signal) : undefined,
    devices: openWallet ? undefined : names.filter((name) => name !== OWN_DEVICE),
    bridge,
  };
}

function toJson(connection: Connection): unknown {
  const { strings, address, isOnion, height, devices, bridge } = connection;
  const { server, uri, electrum, sparrow, bluewallet } = strings;
  return {
    [isOnion ? 'onion' : 'host']: address.host,
    port: address.port,
    server,
    uri,
    tested: height !== undefined,
    height,
    needsDeviceKey: devices !== undefined,
    devices,
    bridge,
    wallets: { electrum, sparrow, bluewallet },
  };
}

async function show(connection: Connection, wallet: WalletName | undefined): Promise<void> {
  const { strings, height, devices, isOnion, bridge } = connection;
  if (height === undefined) note('Not tested: it may not answer.');
  else note(`It answers${isOnion ? ' through its onion' : ''}, at block ${height}.`);
  if (bridge) note(BRIDGE_ASKS[bridge]);
  print(`\n${strings.server}\n`);
  if (process.stdout.isTTY) {
    const { terminalQr } = await import('../qr.ts');
    print(`${terminalQr(strings.server)}\n`);
  }
  const chosen = wallet === undefined ? WALLETS : [wallet];
  for (const each of chosen) print(`${walletSteps(each, strings).join('\n')}\n`);
  if (devices !== undefined) print(keySteps(devices).join('\n'));
}

function keySteps(devices: readonly string[]): readonly string[] {
  const held = devices.length === 0 ? 'None has one yet' : `These have one: ${devices.join(', ')}`;
  return [
    `Only a device with a key finds the way to this server. ${held}.`,
    '  sotto device add NAME   makes one, and shows the line that goes to the tor which the wallet uses:',
    '  tor    a file sotto-NAME.auth_private in the directory that ClientOnionAuthDir names, then reload it',
    '  Orbot  the menu, Onion Services, Client Authorization',
    'docs/connecting.md has every step.',
  ];
}
