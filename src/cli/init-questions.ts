import { isAbsolute } from 'node:path';
import { NETWORKS } from '../bitcoin/networks.ts';
import { BACKENDS } from '../config/stack-config.ts';
import type { Choices } from '../stack/init/choices.ts';
import { askChoice, askText } from './ask.ts';

const ABOUT_NETWORKS = {
  mainnet: 'real bitcoin',
  testnet4: 'for tests, with everyone',
  signet: 'for tests, with everyone, blocks every ten minutes',
  regtest: 'for tests, a chain of its own on this machine',
} as const;

const ABOUT_BACKENDS = {
  docker: 'containers, each shut in but for what it needs',
  process: 'programs that you installed',
} as const;

/** Asks for what the flags leave open. What is rarely wanted has a flag, and stands in sotto.yaml. */
export async function askChoices(given: Choices, signal: AbortSignal): Promise<Choices> {
  const network =
    given.network ??
    (await askChoice({
      message: 'Which network?',
      choices: NETWORKS.map((value) => ({ value, hint: ABOUT_NETWORKS[value] })),
      first: 'mainnet',
      signal,
    }));
  const backend =
    given.backend ??
    (await askChoice({
      message: 'What runs it?',
      choices: BACKENDS.map((value) => ({ value, hint: ABOUT_BACKENDS[value] })),
      first: 'docker',
      signal,
    }));
  if (network === 'regtest') return { ...given, network, backend };
  const storage =
    given.storage ??
    (await askPath('Where do chain and index go? (empty: with everything else)', signal));
  const bitcoinData =
    given.bitcoinData ??
    (await askPath('Is there a data directory of bitcoind to go on with? (empty: no)', signal));
  return { ...given, network, backend, storage, bitcoinData };
}

async function askPath(message: string, signal: AbortSignal): Promise<string | undefined> {
  const path = await askText({
    message,
    otherwise: '',
    complain: (answer) =>
      answer === '' || isAbsolute(answer) ? undefined : 'A path from / on, please.',
    signal,
  });
  return path === '' ? undefined : path;
}
