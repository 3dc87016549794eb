import { Command, InvalidArgumentError, Option } from 'commander';
import { fromUtf8, toHex } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { Scope } from '../../base/lifecycle.ts';
import type { Network } from '../../bitcoin/networks.ts';
import { certificateText, isCertified, signatureOfWallet } from '../../bond/bond-certificate.ts';
import { parseBondFile, renderBondFile } from '../../bond/bond-file.ts';
import { bondDescriptor } from '../../bond/bond-descriptor.ts';
import { bondAddress, bondOutputScript, bondScript } from '../../bond/bond-script.ts';
import { type BondProof } from '../../bond/bond-proof.ts';
import { type BondCoin, largestCoin } from '../../bond/find-coin.ts';
import { type BondClaim, PERIOD_BLOCKS, verifyBond } from '../../bond/verify-bond.ts';
import type { NodeId } from '../../directory/node-id.ts';
import { scriptHashOf } from '../../electrum/script-hash.ts';
import type { Address } from '../../io/dial.ts';
import { readIfPresent, writeDurably } from '../../io/durable-file.ts';
import { socksDial } from '../../io/socks-dial.ts';
import type { Lookup } from '../../lookup/lookup.ts';
import { absolutePath } from '../absolute-path.ts';
import { askText, hasTerminal } from '../ask.ts';
import {
  dayOf,
  keyOption,
  originOption,
  type TermsOptions,
  termsOf,
  untilOption,
} from '../bond-terms.ts';
import { socksOption, stateOption } from '../client-options.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { lockWay, networkOption, serverOption, wayOf } from '../lookup-way.ts';
import { noteHeaders } from '../note-headers.ts';
import { note, print, printJson } from '../output.ts';
import { wholeNumber } from '../whole-number.ts';

export function bondCommand(): Command {
  return new Command('bond')
    .description('coins of yours, locked so that your node counts for more')
    .addCommand(addressCommand())
    .addCommand(proveCommand())
    .addCommand(showCommand());
}

interface AddressOptions extends TermsOptions {
  readonly network: Network;
  readonly origin?: string;
  readonly json?: true;
}

function addressCommand(): Command {
  return new Command('address')
    .description('the address to pay what is to be locked to')
    .addOption(keyOption)
    .addOption(untilOption)
    .addOption(originOption)
    .addOption(networkOption)
    .option('--json', 'print one object')
    .action((options: AddressOptions) => {
      const { network, origin, json } = options;
      const terms = termsOf(options);
      const address = bondAddress(terms, network);
      const script = toHex(bondScript(terms));
      const descriptor = bondDescriptor(terms, origin);
      if (json) {
        printJson({ address, network, locktime: terms.locktime, script, descriptor });
      } else {
        print(address);
        note(
          `Nobody can spend what is paid there before ${dayOf(terms.locktime)} (UTC), you neither.`,
        );
        note('Pay it in one output: a bond is the largest output, and others do not add up.');
        note(`Keep this: a wallet that imports it can spend the coins then.\n${descriptor}`);
      }
    });
}

interface ProveOptions extends TermsOptions {
  readonly node: NodeId;
  readonly network: Network;
  readonly server?: Address;
  readonly state?: string;
  readonly socks: Address;
  readonly expiry?: number;
  readonly signature?: string;
  readonly json?: true;
}

/** A certificate holds for about a year: whoever takes over the node has the bond for so long. */
const CERTIFICATE_PERIODS = 26;
const MAX_PERIOD = 1_000_000;

function proveCommand(): Command {
  return new Command('prove')
    .description('write the file by which your node claims the bond')
    .argument('<file>', 'to write', absolutePath)
    .addOption(keyOption)
    .addOption(untilOption)
    .addOption(
      new Option('--node <id>', 'your node').argParser(nodeIdArgument).makeOptionMandatory(),
    )
    .addOption(serverOption)
    .addOption(networkOption)
    .addOption(stateOption)
    .addOption(socksOption)
    .option(
      '--expiry <period>',
      'first period of 2016 blocks in which the certificate does not hold (default: in a year)',
      wholeNumber(1, MAX_PERIOD),
    )
    .option('--signature <line>', 'the signed certificate, as your wallet shows it')
    .option('--json', 'print one object')
    .action(async (file: string, options: ProveOptions) => {
      await untilInterrupted(async (signal) => {
        const claim = await prove(options, signal);
        await writeDurably(file, Buffer.from(renderBondFile(claim)));
        if (options.json) printJson({ file, ...describe(claim) });
        else {
          show(claim);
          note(`Written to ${file}.`);
        }
      });
    });
}

async function prove(options: ProveOptions, signal: AbortSignal): Promise<BondClaim> {
  const { node: nodeId, network } = options;
  const terms = termsOf(options);
  const way = await wayOf({ ...options, direct: true });
  await using scope = new Scope();
  scope.use(await lockWay(way));
  const lookup = scope.use(
    await way.open({
      dial: way.withoutTor ?? socksDial(options.socks),
      log: stderrLogger('warn'),
      signal,
      onProgress: noteHeaders(),
    }),
  );
  const { entries } = await lookup.history(scriptHashOf(bondOutputScript(terms)), { signal });
  const payments = entries.filter(({ proved }) => proved);
  const coin = largestCoin(
    payments.map(({ transaction }) => transaction),
    terms,
  );
  if (coin === undefined) throw nothingPaid(bondAddress(terms, network));
  const period = Math.floor(lookup.headers.tip.height / PERIOD_BLOCKS);
  const { expiry = period + 1 + CERTIFICATE_PERIODS } = options;
  const certificate = certificateText({ nodeId, expiry });
  const signed = options.signature ?? (await askSignature({ certificate, coin, expiry }, signal));
  const proof = await proofOf(coin, lookup, signal);
  const bond = { ...coin, ...terms, expiry, signature: signatureOfWallet(signed) };
  if (!isCertified({ nodeId, expiry }, bond)) throw wrongSignature(certificate);
  verifyBond({ nodeId, bond, proof }, lookup.headers);
  return { nodeId, bond, proof };
}

/** @throws UserError when its block has left the chain since the history was read. */
async function proofOf(
  { txid }: BondCoin,
  lookup: Lookup,
  signal: AbortSignal,
): Promise<BondProof> {
  const { raw, height, position, branch, coinbase } = await lookup.transaction(txid, { signal });
  if (position === undefined || branch === undefined) {
    throw new UserError(`no block holds ${txid} any more`, { hint: 'Try again in a while.' });
  }
  return { raw, block: { height, position, branch, coinbase } };
}

interface Unsigned {
  readonly certificate: string;
  readonly coin: BondCoin;
  readonly expiry: number;
}

async function askSignature(
  { certificate, coin, expiry }: Unsigned,
  signal: AbortSignal,
): Promise<string> {
  if (!hasTerminal()) {
    throw new UserError('the certificate is not signed yet', {
      hint:
        `Sign this message with the key of the bond, in your wallet:\n${certificate}\n` +
        `Then repeat the command with --expiry ${expiry} --signature LINE.`,
    });
  }
  note(`${coin.sats} satoshis are locked in ${coin.txid}:${coin.vout}.`);
  note(`Sign this message with the key of the bond, in your wallet:\n\n${certificate}\n`);
  return await askText({
    message: 'The signature, as the wallet shows it',
    otherwise: '',
    complain: (answer) => (answer === '' ? 'Paste it here.' : undefined),
    signal,
  });
}

function nothingPaid(address: string): UserError {
  return new UserError(`no block holds a payment to ${address}`, {
    hint: 'Pay what you want to lock to this address, and wait for a block. Are key and day the same as then?',
  });
}

function wrongSignature(certificate: string): UserError {
  return new UserError('the key of the bond did not sign the certificate', {
    hint:
      `The message is, without a space or a line more:\n${certificate}\n` +
      'Sign it with the address whose public key you gave.',
  });
}

function showCommand(): Command {
  return new Command('show')
    .description('what the file of a bond claims; looks at no chain')
    .argument('<file>', 'that sotto bond prove has written')
    .option('--json', 'print one object')
    .action(async (file: string, { json }: { readonly json?: true }) => {
      const bytes = await readIfPresent(file);
      if (bytes === undefined) throw new UserError(`there is no file ${file}`);
      const claim = parseBondFile(fromUtf8(bytes));
      if (json) printJson(describe(claim));
      else show(claim);
    });
}

interface DescribedBond {
  readonly node: NodeId;
  readonly satoshis: number;
  readonly outpoint: string;
  readonly block: number;
  readonly lockedUntil: string;
  /** The first block at which the certificate does not hold any more. */
  readonly certificateEnds: number;
  readonly certified: boolean;
}

function describe({ nodeId, bond, proof }: BondClaim): DescribedBond {
  return {
    node: nodeId,
    satoshis: bond.sats,
    outpoint: `${bond.txid}:${bond.vout}`,
    block: proof.block.height,
    lockedUntil: dayOf(bond.locktime),
    certificateEnds: bond.expiry * PERIOD_BLOCKS,
    certified: isCertified({ nodeId, expiry: bond.expiry }, bond),
  };
}

function show(claim: BondClaim): void {
  const bond = describe(claim);
  print(`node         ${bond.node}`);
  print(`bond         ${bond.satoshis} satoshis in ${bond.outpoint}, block ${bond.block}`);
  print(`locked       until ${bond.lockedUntil} (UTC)`);
  const holds = bond.certified ? 'signed' : 'NOT SIGNED by the key of the bond';
  print(`certificate  ${holds}, until block ${bond.certificateEnds}`);
}

/** @throws InvalidArgumentError */
function nodeIdArgument(text: string): NodeId {
  if (/^[0-9a-f]{32}$/.test(text)) return text;
  throw new InvalidArgumentError('A node id is 32 hexadecimal characters; sotto status shows it.');
}
