import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../../base/errors.ts';
import { scriptOfAddress } from '../../bitcoin/address.ts';
import { type Network, NETWORKS } from '../../bitcoin/networks.ts';
import { scriptHashOf } from '../../electrum/script-hash.ts';
import type { Address } from '../../io/dial.ts';
import { socksDial } from '../../io/socks-dial.ts';
import { LookupError } from '../../lookup/fault.ts';
import type { Lookup, VerifiedHistory } from '../../lookup/lookup.ts';
import {
  policyOption,
  readPolicy,
  socksOption,
  stateDirectory,
  stateOption,
} from '../client-options.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { formatTable, note, print, printJson } from '../output.ts';

interface LookupOptions {
  readonly direct?: true;
  readonly relayed?: true;
  readonly server?: Address;
  readonly network: Network;
  readonly policy?: string;
  readonly socks: Address;
  readonly state?: string;
  readonly json?: true;
}

interface Subject {
  /** As the person wrote it. */
  readonly name: string;
  readonly scriptHash: string;
}

interface Outcome extends Subject {
  readonly answer: VerifiedHistory | LookupError;
}

const DEFAULT_WALLET_PORT = 50_001;
const AN_ONION = '56 letters and digits, then .onion, never a clearnet name';

export function lookupCommand(): Command {
  return new Command('lookup')
    .description('look up the history of addresses, every answer verified first')
    .argument('<address...>', 'addresses, or scripthashes as in the Electrum protocol')
    .addOption(
      new Option('--direct', "at your own server's onion: it learns every address").conflicts(
        'relayed',
      ),
    )
    .option('--relayed', 'through the relay network: no server learns them all')
    .addOption(
      new Option('--server <onion[:port]>', 'your Electrum server, for --direct')
        .env('SOTTO_SERVER')
        .argParser(onionAndPort),
    )
    .addOption(
      new Option('--network <name>', 'for --direct; --relayed has it from the policy')
        .choices(NETWORKS)
        .default('mainnet'),
    )
    .addOption(policyOption)
    .addOption(socksOption)
    .addOption(stateOption)
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      '\nAll addresses of one call are asked at once: gateways that work together could link them by time.',
    )
    .action(async (names: string[], options: LookupOptions) => {
      await untilInterrupted(async (signal) => {
        const { network, open } = await wayOf(options, signal);
        const subjects = names.map((name) => subjectOf(name, network));
        await using lookup = await open();
        const outcomes = await Promise.all(
          subjects.map(async (subject): Promise<Outcome> => {
            const answer = await lookup.history(subject.scriptHash, { signal }).catch(asFault);
            return { ...subject, answer };
          }),
        );
        show(outcomes, lookup.faults, options);
      });
    });
}

async function wayOf(
  options: LookupOptions,
  signal: AbortSignal,
): Promise<{ network: Network; open: () => Promise<Lookup> }> {
  const dial = socksDial(options.socks);
  const log = stderrLogger('warn');
  const common = { dial, clock: Date.now, log, signal, onProgress: noteHeaders() };
  if (options.relayed) {
    const policy = await readPolicy(options.policy);
    const { networkOf } = await import('../../lookup/client-directory.ts');
    const network = networkOf(policy);
    const directory = join(stateDirectory(options.state, network), 'relayed');
    const { openRelayedLookup } = await import('../../lookup/open-relayed-lookup.ts');
    return { network, open: () => openRelayedLookup({ ...common, policy, directory }) };
  }
  if (options.direct) {
    const { network, server } = options;
    if (server === undefined) {
      throw new UserError('no server to ask', {
        hint: `Name your server with --server or SOTTO_SERVER: ${AN_ONION}.`,
      });
    }
    const directory = join(stateDirectory(options.state, network), 'direct');
    const { openDirectLookup } = await import('../../lookup/open-direct-lookup.ts');
    return { network, open: () => openDirectLookup({ ...common, network, server, directory }) };
  }
  throw new UserError('say --direct or --relayed', {
    hint:
      '--direct asks your own server, which learns every address.\n' +
      '--relayed asks through the network, where no server learns them all.',
  });
}

function onionAndPort(text: string): Address {
  const match = /^([a-z2-7]{56}\.onion)(?::(\d{1,5}))?$/.exec(text);
  if (match?.[1] === undefined) throw new InvalidArgumentError(`It takes ${AN_ONION}.`);
  return { host: match[1], port: Number(match[2] ?? DEFAULT_WALLET_PORT) };
}

function subjectOf(name: string, network: Network): Subject {
  if (/^[0-9a-f]{64}$/i.test(name)) return { name, scriptHash: name.toLowerCase() };
  return { name, scriptHash: scriptHashOf(scriptOfAddress(name, network)) };
}

function asFault(error: unknown): LookupError {
  if (error instanceof LookupError) return error;
  throw error;
}

function show(
  outcomes: readonly Outcome[],
  faults: readonly LookupError[],
  { json }: LookupOptions,
): void {
  const failed = outcomes.filter(({ answer }) => answer instanceof LookupError);
  if (json) {
    printJson({
      ok: failed.length === 0,
      addresses: outcomes.map(toJson),
      faults: faults.map(faultToJson),
    });
  } else {
    print(
      formatTable([
        ['address', 'txs', 'satoshis', 'unconfirmed', 'answered by'],
        ...outcomes.map(toRow),
      ]),
    );
    // What made an address fail is often among the faults met on the way.
    const told = [...faults, ...failed.map(({ answer }) => answer as LookupError)];
    for (const message of new Set(told.map((fault) => fault.message))) note(message);
  }
  if (failed.length > 0) process.exitCode = 1;
}

function toRow({ name, answer }: Outcome): (string | number)[] {
  if (answer instanceof LookupError) return [name, '-', '-', '-', `nobody (${answer.code})`];
  const { entries, confirmed, unconfirmed } = answer;
  return [name, entries.length, Number(confirmed), Number(unconfirmed), answeredBy(answer)];
}

function answeredBy({ source }: VerifiedHistory): string {
  return source.kind === 'server' ? 'your server' : `gateway ${source.nodeId.slice(0, 8)}`;
}

function toJson({ name, scriptHash, answer }: Outcome): unknown {
  if (answer instanceof LookupError)
    return { address: name, scriptHash, error: faultToJson(answer) };
  const { status, tip, entries, confirmed, unconfirmed, unspent, source } = answer;
  return {
    address: name,
    scriptHash,
    status,
    tip,
    confirmed,
    unconfirmed,
    history: entries.map(({ txid, height, position, proved }) => ({
      txid,
      height,
      position,
      proved,
    })),
    unspent,
    source,
  };
}

function faultToJson({ code, message, culprit }: LookupError): unknown {
  return { code, message, culprit };
}

/** Headers from the first block on are a long way on mainnet: says so every few seconds. */
function noteHeaders(): (progress: { readonly height: number }) => void {
  const everyMs = 3000;
  let said = performance.now();
  return ({ height }) => {
    if (performance.now() - said < everyMs) return;
    said = performance.now();
    note(`verified headers up to ${height}`);
  };
}
