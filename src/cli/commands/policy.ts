import { Command, InvalidArgumentError } from 'commander';
import { toHex, utf8 } from '../../base/bytes.ts';
import { messageOf, UserError } from '../../base/errors.ts';
import { DIRECTORY_KINDS } from '../../directory/directory-view.ts';
import { majorityOf, parsePolicy, type Policy } from '../../directory/policy.ts';
import {
  fingerprintOf,
  formatPolicyLink,
  openFetchedPolicy,
  parsePolicyLink,
  type PolicyLink,
} from '../../directory/policy-link.ts';
import type { Address } from '../../io/dial.ts';
import { readIfPresent, writeDurably } from '../../io/durable-file.ts';
import { socksDial } from '../../io/socks-dial.ts';
import { absolutePath } from '../absolute-path.ts';
import { hostAndPort, policyOption, readPolicy, socksOption } from '../client-options.ts';
import { untilInterrupted } from '../interrupt.ts';
import { comparePoliciesCommand } from '../policy-compare.ts';
import { note, print, printJson } from '../output.ts';
import { terminalQr } from '../qr.ts';

export function policyCommand(): Command {
  return new Command('policy')
    .description('whose signatures you believe, and how to give that to others')
    .addCommand(showCommand())
    .addCommand(fetchCommand())
    .addCommand(comparePoliciesCommand());
}

interface ShowOptions {
  readonly policy?: string;
  readonly onion?: Address;
  readonly json?: true;
}

function showCommand(): Command {
  return new Command('show')
    .description('what a policy file says, its fingerprint, and a link to it as a QR code')
    .addOption(policyOption)
    .option(
      '--onion <host:port>',
      'the node that gives it out (default: its first relay)',
      hostAndPort,
    )
    .option('--json', 'print one object')
    .action(async (options: ShowOptions) => {
      const policy = await readPolicy(options.policy);
      const fingerprint = fingerprintOf(policy);
      const onion = options.onion ?? policy.bootstrap[0];
      const link = onion && formatPolicyLink({ network: policy.network, onion, fingerprint });
      if (options.json) {
        printJson({ ...describe(policy), fingerprint: toHex(fingerprint), link });
        return;
      }
      show(policy, fingerprint);
      if (link === undefined) note('No relay is in it: --onion makes a link.');
      else print(`link         ${link}\n\n${terminalQr(link)}`);
    });
}

function describe({ network, authorities, quorum, bootstrap }: Policy): object {
  return {
    network,
    authorities: authorities.map(({ name }) => name),
    needed: majorityOf({ authorities }),
    quorum,
    relays: bootstrap.map(({ host, port }) => `${host}:${port}`),
  };
}

function show({ network, authorities, quorum, bootstrap }: Policy, fingerprint: Uint8Array): void {
  const names = authorities.map(({ name }) => name).join(', ');
  const more = quorum === undefined ? '' : `, and the quorum ${quorum}`;
  print(`network      ${network}`);
  print(`authorities  ${names}; ${majorityOf({ authorities })} must sign${more}`);
  print(`relays       ${bootstrap.length}`);
  print(`fingerprint  ${toHex(fingerprint)}`);
}

interface FetchOptions {
  readonly socks: Address;
  readonly json?: true;
}

function fetchCommand(): Command {
  return new Command('fetch')
    .description('fetch the policy that a link names from the onion in it')
    .argument('<link>', 'sotto-policy:..., from somebody you trust', linkArgument)
    .argument('<file>', 'to write; it must not be there', absolutePath)
    .addOption(socksOption)
    .option('--json', 'print one object')
    .action(async (link: PolicyLink, file: string, options: FetchOptions) => {
      if ((await readIfPresent(file)) !== undefined) {
        throw new UserError(`${file} is there already`, {
          hint: 'A policy is not replaced by a command: move the old one away first.',
        });
      }
      const { networkOf } = await import('../../lookup/client-directory.ts');
      const { directoryPeer } = await import('../../node/directory-peer.ts');
      await untilInterrupted(async (signal) => {
        const name = `${link.onion.host}:${link.onion.port}`;
        const dial = socksDial(options.socks);
        const peer = directoryPeer(
          { name, onion: link.onion },
          { dial, network: networkOf(link), clock: Date.now },
        );
        const bytes = await peer
          .fetch(DIRECTORY_KINDS.policy, link.fingerprint, signal)
          .catch((cause: unknown) => {
            signal.throwIfAborted();
            throw new UserError(`${name} does not answer: ${messageOf(cause)}`, { cause });
          });
        if (bytes.length === 0) throw new UserError(`${name} does not have this policy`);
        const text = openFetchedPolicy(bytes, link);
        await writeDurably(file, utf8(text));
        const policy = parsePolicy(text);
        if (options.json) printJson({ file, ...describe(policy) });
        else show(policy, link.fingerprint);
      });
    });
}

/** @throws InvalidArgumentError */
function linkArgument(text: string): PolicyLink {
  try {
    return parsePolicyLink(text);
  } catch {
    throw new InvalidArgumentError(
      'It is a text such as sotto-policy:mainnet:HOST.onion:PORT#HASH.',
    );
  }
}
