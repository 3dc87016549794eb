import { Command } from 'commander';
import { UserError } from '../../base/errors.ts';
import { Scope } from '../../base/lifecycle.ts';
import type { Network } from '../../bitcoin/networks.ts';
import { withoutWitnesses } from '../../bitcoin/transaction.ts';
import { certificateText, isCertified } from '../../bond/bond-certificate.ts';
import { MAX_BOND_FILE_BYTES, parseBondFile, renderBondFile } from '../../bond/bond-file.ts';
import { bondAddress, bondOutputScript } from '../../bond/bond-script.ts';
import { type BondProof, MAX_BOND_TRANSACTION_BYTES } from '../../bond/bond-proof.ts';
import { type BondCoin, coinsIn, largestCoin } from '../../bond/find-coin.ts';
import {
  type BondClaim,
  checkLocked,
  PERIOD_BLOCKS,
  verifyBond,
  VOTING_RULES,
} from '../../bond/verify-bond.ts';
import type { NodeId } from '../../directory/node-id.ts';
import { decodeNote } from '../../directory/note.ts';
import { scriptHashOf } from '../../electrum/script-hash.ts';
import type { Address } from '../../io/dial.ts';
import { readIfPresent, writeDurably } from '../../io/durable-file.ts';
import { socksDial } from '../../io/socks-dial.ts';
import type { Lookup } from '../../lookup/lookup.ts';
import { absolutePath } from '../absolute-path.ts';
import { askText, hasTerminal } from '../ask.ts';
import { bondAddressCommand } from '../bond-address.ts';
import { signatureOf } from '../bond-signature.ts';
import {
  dayOf,
  expiryOption,
  keyOption,
  nodeOption,
  signatureOption,
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

export function bondCommand(): Command {
  return new Command('bond')
    .description('coins of yours, locked so that your node counts for more')
    .addCommand(bondAddressCommand())
    .addCommand(proveCommand())
    .addCommand(showCommand());
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
const NOT_YET = new Uint8Array(64);

function proveCommand(): Command {
  return new Command('prove')
    .description('write the file by which your node claims the bond')
    .argument('<file>', 'to write', absolutePath)
    .addOption(keyOption)
    .addOption(untilOption)
    .addOption(nodeOption().makeOptionMandatory())
    .addOption(serverOption)
    .addOption(networkOption)
    .addOption(stateOption)
    .addOption(socksOption)
    .addOption(expiryOption)
    .addOption(signatureOption)
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
  const transactions = payments.map(({ transaction }) => transaction);
  const coin = largestCoin(transactions, terms);
  if (coin === undefined) {
    const address = bondAddress(terms, network);
    throw coinsIn(transactions, terms).length > 0 ? tooLarge(address) : nothingPaid(address);
  }
  const period = Math.floor(lookup.headers.tip.height / PERIOD_BLOCKS);
  const { expiry = period + 1 + CERTIFICATE_PERIODS } = options;
  const proof = await proofOf(coin, lookup, signal);
  const unsigned = { nodeId, bond: { ...coin, ...terms, expiry, signature: NOT_YET }, proof };
  // Whoever has to wait, or to pay again, is told before signing.
  checkLocked(unsigned, lookup.headers, VOTING_RULES);
  const certificate = certificateText({ nodeId, expiry });
  const line = options.signature ?? (await askSignature({ certificate, coin, expiry }, signal));
  const signature = signatureOf(line, { nodeId, expiry }, terms.publicKey);
  const claim = { ...unsigned, bond: { ...unsigned.bond, signature } };
  verifyBond(claim, lookup.headers);
  return claim;
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
  return { raw: withoutWitnesses(raw), block: { height, position, branch, coinbase } };
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

function tooLarge(address: string): UserError {
  return new UserError(
    `the transaction that pays ${address} has more than ${MAX_BOND_TRANSACTION_BYTES} bytes without witnesses`,
    {
      hint: 'It is too large for the proof of a bond. Pay the address again, in a transaction with few inputs and outputs.',
    },
  );
}

function showCommand(): Command {
  return new Command('show')
    .description('what the file of a bond claims; looks at no chain')
    .argument('<file>', 'that sotto bond prove has written')
    .option('--json', 'print one object')
    .action(async (file: string, { json }: { readonly json?: true }) => {
      const bytes = await readIfPresent(file);
      if (bytes === undefined) throw new UserError(`there is no file ${file}`);
      const claim = parseBondFile(decodeNote(bytes, MAX_BOND_FILE_BYTES));
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
