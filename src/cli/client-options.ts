import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { InvalidArgumentError, Option } from 'commander';
import { messageOf, UserError } from '../base/errors.ts';
import type { Network } from '../bitcoin/networks.ts';
import { loadText } from '../config/load.ts';
import { type Policy, parsePolicy } from '../directory/policy.ts';
import { type Address, parseAddress } from '../io/dial.ts';
import { absolutePath } from './absolute-path.ts';

// Options that the commands of a client share.

const DEFAULT_SOCKS = '127.0.0.1:9050';

export const socksOption = new Option('--socks <host:port>', "tor's SOCKS port")
  .env('SOTTO_SOCKS')
  .argParser(hostAndPort)
  .default(parseAddress(DEFAULT_SOCKS), DEFAULT_SOCKS);

export const policyOption = new Option(
  '--policy <file>',
  'policy file of the network: whose signatures make its consensus',
).env('SOTTO_POLICY');

export const stateOption = new Option(
  '--state <directory>',
  'where headers, consensus and choices are kept (default: below the home directory)',
)
  .env('SOTTO_STATE')
  .argParser(absolutePath);

/** @throws UserError */
export async function readPolicy(path: string | undefined): Promise<Policy> {
  if (path === undefined) {
    throw new UserError('no policy file', {
      hint:
        'Name the policy file of your network with --policy or SOTTO_POLICY.\n' +
        'There is no public network yet; `sotto demo --keep` runs one on this machine.',
    });
  }
  return parsePolicy(await loadText(path));
}

export function stateDirectory(given: string | undefined, network: Network): string {
  if (given !== undefined) return given;
  const data = process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share');
  return join(data, 'sotto', network);
}

/** @throws InvalidArgumentError */
export function hostAndPort(text: string): Address {
  try {
    return parseAddress(text);
  } catch (error) {
    throw new InvalidArgumentError(`It is not host:port: ${messageOf(error)}.`);
  }
}
