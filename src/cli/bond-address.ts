import { Command } from 'commander';
import { toHex } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { type Network } from '../bitcoin/networks.ts';
import { certificateText } from '../bond/bond-certificate.ts';
import { bondDescriptor } from '../bond/bond-descriptor.ts';
import { addressOfKey, bondAddress, bondScript } from '../bond/bond-script.ts';
import { type NodeId } from '../directory/node-id.ts';
import { signatureOf } from './bond-signature.ts';
import {
  dayOf,
  expiryOption,
  keyOption,
  nodeOption,
  originOption,
  signatureOption,
  type TermsOptions,
  termsOf,
  untilOption,
} from './bond-terms.ts';
import { networkOption } from './lookup-way.ts';
import { note, print, printJson } from './output.ts';

interface AddressOptions extends TermsOptions {
  readonly network: Network;
  readonly origin?: string;
  readonly node?: NodeId;
  readonly expiry?: number;
  readonly signature?: string;
  readonly json?: true;
}

const DAY = 86_400;
/** Seconds: who locks coins for longer has perhaps mistyped the year. */
const LONG = 2 * 366 * DAY;

/** What a person looks at before anything is paid: afterwards nobody can help. */
export function bondAddressCommand(): Command {
  return new Command('address')
    .description('the address to pay what is to be locked to')
    .addOption(keyOption)
    .addOption(untilOption)
    .addOption(originOption)
    .addOption(networkOption)
    .addOption(nodeOption())
    .addOption(expiryOption)
    .addOption(signatureOption)
    .option('--json', 'print one object')
    .action((options: AddressOptions) => {
      const { network, origin, json } = options;
      const terms = termsOf(options);
      const certificate = certificateOf(options);
      const address = bondAddress(terms, network);
      const keyAddress = addressOfKey(terms.publicKey, network);
      const script = toHex(bondScript(terms));
      const descriptor = bondDescriptor(terms, origin);
      warnOfLong(terms.locktime);
      if (json) {
        const { locktime } = terms;
        const fixed = { address, keyAddress, network, locktime, script, descriptor };
        printJson({ ...fixed, ...certificate });
        return;
      }
      print(address);
      note(`The key is that of ${keyAddress}`);
      note(
        'This must be the address you took the key from. Else the coins would be lost: do not pay.',
      );
      if (certificate?.signed === true) note('That address has signed for your node.');
      if (certificate?.signed === false) {
        note(
          `Sign this message with it before you pay, and see with --signature that it is right:`,
        );
        note(certificate.certificate);
      }
      note(
        `Nobody can spend what is paid there before ${dayOf(terms.locktime)} (UTC), you neither.`,
      );
      note('Pay it in one output: a bond is the largest output, and others do not add up.');
      note(`Keep this: a wallet that imports it can spend the coins then.\n${descriptor}`);
    });
}

interface Signed {
  readonly certificate: string;
  readonly signed: boolean;
}

/** @throws UserError when the signature is not right, or something is missing to tell. */
function certificateOf(options: AddressOptions): Signed | undefined {
  const { node: nodeId, expiry, signature, key } = options;
  if (nodeId === undefined && expiry === undefined && signature === undefined) return undefined;
  if (nodeId === undefined || expiry === undefined) {
    throw new UserError('a certificate is for a node and ends', {
      hint: 'Give both --node and --expiry: the height of the newest block divided by 2016, and 27 more for about a year.',
    });
  }
  const certificate = certificateText({ nodeId, expiry });
  if (signature === undefined) return { certificate, signed: false };
  signatureOf(signature, { nodeId, expiry }, key);
  return { certificate, signed: true };
}

function warnOfLong(locktime: number): void {
  const seconds = locktime - Date.now() / 1000;
  if (seconds <= LONG) return;
  const days = Math.ceil(seconds / DAY);
  note(
    `WARNING: that is in the year ${dayOf(locktime).slice(0, 4)}, ${days} days from now. Nothing frees the coins before.`,
  );
}
