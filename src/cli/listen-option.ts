import { InvalidArgumentError, Option } from 'commander';
import { UserError } from '../base/errors.ts';
import { type Address, formatAddress } from '../io/dial.ts';
import { machineAddresses } from '../io/machine-addresses.ts';
import { findPortHolder, isTaken } from '../io/port-holder.ts';
import { isPrivateAddress } from '../io/private-address.ts';

const LOOPBACK = '127.0.0.1';
const EVERYWHERE = '0.0.0.0';
const DEFAULT_LISTEN = { host: LOOPBACK, port: 50_001 };

/** `--listen`. Its attribute is `listen`: a numeric IPv4 address, and a port or 0 for a free one. */
export const listenOption = new Option(
  '--listen <ip:port>',
  'where wallets connect; port 0: a free one',
)
  .argParser(listenAddress)
  .default(DEFAULT_LISTEN, formatAddress(DEFAULT_LISTEN));

/**
 * Whether wallets may be served there.
 * @throws UserError when others than this machine could come without leave, or the port is in use.
 */
export async function requireListenable(listen: Address, allowLan: boolean): Promise<void> {
  const { host, port } = listen;
  if (host !== EVERYWHERE && !isPrivateAddress(host)) {
    throw new UserError(`${host} is no address of a private network`, {
      hint: 'Whoever reaches the bridge sees what the wallets see: keep it off the open internet.',
    });
  }
  if (!isLoopback(host) && !allowLan) {
    throw new UserError(`at ${host} others than this machine could use the bridge`, {
      hint:
        'If that is meant, say --allow-lan: everybody in that network can then ask it for anything,\n' +
        'and whoever listens there reads the addresses of the wallets.',
    });
  }
  if (host !== EVERYWHERE && !isLoopback(host) && !machineAddresses().includes(host)) {
    throw new UserError(`${host} is no address of this machine`, {
      hint: `Give one of: ${machineAddresses().filter(isPrivateAddress).join(', ')}`,
    });
  }
  if (port === 0 || !(await isTaken(listen))) return;
  const holder = await findPortHolder(listen);
  const by = holder ? `${holder.name}, process ${holder.pid}` : "another user's program";
  throw new UserError(`${formatAddress(listen)} is in use by ${by}`, {
    hint: `Stop it, or give another port: --listen ${host}:${port + 10}`,
  });
}

/** What a wallet dials to come to a server that listens there. */
export function dialledAddress({ host, port }: Address): Address {
  if (host !== EVERYWHERE) return { host, port };
  return { host: machineAddresses().find(isPrivateAddress) ?? LOOPBACK, port };
}

function isLoopback(host: string): boolean {
  return host.startsWith('127.');
}

function listenAddress(text: string): Address {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3}):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > 65_535) {
    throw new InvalidArgumentError(
      'Expected a numeric address and a port, such as 127.0.0.1:50001.',
    );
  }
  return { host: match[1], port };
}
