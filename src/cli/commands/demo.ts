import { Command, Option } from 'commander';
import { formatAddress } from '../../io/dial.ts';
import { untilInterrupted } from '../interrupt.ts';
import { stderrLogger } from '../logger.ts';
import { formatTable, note, print, printJson } from '../output.ts';
import { runSteps } from '../progress.ts';
import { serveUntilAborted } from '../serve.ts';
import { wholeNumber } from '../whole-number.ts';
import type { Demo } from '../../devnet/demo.ts';
import type { DemoResult } from '../../devnet/demo-result.ts';

interface DemoOptions {
  readonly nodes: number;
  readonly addresses: number;
  readonly mixMs: number;
  readonly tickMs: number;
  readonly keep?: true;
  readonly json?: true;
}

/** Three relays of distinct families, and a gateway that is none of them. */
const MIN_NODES = 4;
const MAX_NODES = 12;
const MIN_ADDRESSES = 3;
const MAX_ADDRESSES = 500;

export function demoCommand(): Command {
  return new Command('demo')
    .description('run a whole network on this machine and look up a wallet, directly and relayed')
    .option('--nodes <n>', `${MIN_NODES} to ${MAX_NODES}`, wholeNumber(MIN_NODES, MAX_NODES), 4)
    .option(
      '--addresses <n>',
      `of the wallet, ${MIN_ADDRESSES} to ${MAX_ADDRESSES}`,
      wholeNumber(MIN_ADDRESSES, MAX_ADDRESSES),
      20,
    )
    .addOption(
      new Option('--mix-ms <n>', 'how long relays hold a cell at most')
        .argParser(wholeNumber(0, 10_000))
        .default(500),
    )
    .addOption(
      new Option('--tick-ms <n>', 'gateways answer at multiples of this')
        .argParser(wholeNumber(0, 10_000))
        .default(250),
    )
    .option('--keep', 'leave it running and print what to try, until Ctrl-C')
    .option('--json', 'print one object')
    .action(async (options: DemoOptions) => {
      const { Demo } = await import('../../devnet/demo.ts');
      await untilInterrupted(async (signal) => {
        await using demo = await Demo.create({ ...options, signal, log: stderrLogger('error') });
        await runSteps(demo.steps);
        const result = await demo.result();
        if (options.json) printJson(result);
        else print(describeResult(result));
        if (!result.ok) process.exitCode = 1;
        if (!options.keep) return;
        note(describeKept(demo));
        await serveUntilAborted(demo.network, signal);
      });
    });
}

function describeResult({ wallet, direct, relayed, seen, plainServer, ok }: DemoResult): string {
  const total = wallet.addresses;
  const share = (addresses: number): string =>
    addresses === 0 ? 'none' : `${addresses} of ${total}`;
  const rows = seen.map(({ nodeId, relay, gateway }) => [
    nodeId.slice(0, 8),
    relay.cells,
    relay.circuits,
    share(relay.addresses),
    gateway.cells,
    share(gateway.addresses),
    gateway.links === 1 ? '1 relay' : `${gateway.links} relays`,
  ]);
  return [
    '',
    `What each node could log of a wallet with ${total} addresses and ${wallet.transactions} transactions`,
    '',
    formatTable([
      ['node', 'passed on', 'circuits', 'addresses', 'opened', 'addresses', 'asked by'],
      ...rows,
    ]),
    '',
    `One plain Electrum server over Tor, by comparison: ${share(plainServer.addresses)} addresses, on ` +
      `${plainServer.connections} connection: a whole wallet.`,
    '',
    `Direct:  ${direct.verified} of ${total} verified in ${direct.totalMs} ms (median ${direct.p50Ms} ms)`,
    `Relayed: ${relayed.verified} of ${total} verified in ${relayed.totalMs} ms (median ${relayed.p50Ms} ms), ` +
      `by ${relayed.gateways} gateways`,
    ...relayed.faults.map((fault) => `  ${fault}`),
    ok
      ? 'Both ways told the same, and block headers prove it.'
      : 'The two ways did not tell the same: see above.',
  ].join('\n');
}

function describeKept(demo: Demo): string {
  const [first] = demo.wallet;
  const socks = formatAddress(demo.socks);
  const { policyFile, walletOnion, nodes } = demo.network;
  return [
    '',
    `SOCKS port      ${socks}`,
    `Wallet onion    ${walletOnion}:50001`,
    ...nodes.map(({ onion, nodeId }) => `Node ${nodeId.slice(0, 8)}   ${onion}:50010`),
    '',
    'Try, from another terminal:',
    `  sotto directory show --policy ${policyFile} --socks ${socks}`,
    `  sotto lookup --relayed --policy ${policyFile} --socks ${socks} ${first?.address ?? ''}`,
    `  sotto lookup --direct --network regtest --server ${walletOnion} --socks ${socks} ${first?.address ?? ''}`,
    `  sotto bridge --relayed --policy ${policyFile} --socks ${socks} --state ${demo.directory}/bridge`,
    `  sotto devnet mine 1 --directory ${demo.directory}/chain`,
    '',
    'Ctrl-C ends it and removes everything.',
  ].join('\n');
}
