import { Command } from 'commander';
import { Scope } from '../../base/lifecycle.ts';
import { scriptOfAddress } from '../../bitcoin/address.ts';
import type { Network } from '../../bitcoin/networks.ts';
import { scriptHashOf } from '../../electrum/script-hash.ts';
import type { Address } from '../../io/dial.ts';
import { socksDial } from '../../io/socks-dial.ts';
import { LookupError } from '../../lookup/fault.ts';
import type { VerifiedHistory } from '../../lookup/lookup.ts';
import { socksOption } from '../client-options.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { lockWay, type WayOptions, wayOf, wayOptions } from '../lookup-way.ts';
import { noteHeaders } from '../note-headers.ts';
import { formatTable, note, print, printJson } from '../output.ts';

interface LookupOptions extends WayOptions {
  readonly socks: Address;
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

export function lookupCommand(): Command {
  const lookup = new Command('lookup')
    .description('look up the history of addresses, every answer verified first')
    .argument('<address...>', 'addresses, or scripthashes as in the Electrum protocol')
    .addOption(socksOption)
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      '\nAll addresses of one call are asked at once: gateways that work together could link them by time.',
    )
    .action(async (names: string[], options: LookupOptions) => {
      await untilInterrupted(async (signal) => {
        const way = await wayOf(options);
        const subjects = names.map((name) => subjectOf(name, way.network));
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
        const outcomes = await Promise.all(
          subjects.map(async (subject): Promise<Outcome> => {
            const answer = await lookup.history(subject.scriptHash, { signal }).catch(asFault);
            return { ...subject, answer };
          }),
        );
        show(outcomes, lookup.faults, options);
      });
    });
  for (const option of wayOptions) lookup.addOption(option);
  return lookup;
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
