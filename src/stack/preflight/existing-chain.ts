import { join } from 'node:path';
import { toHex } from '../../base/bytes.ts';
import type { Network } from '../../bitcoin/networks.ts';
import { isLocked, mayWrite, readStart } from '../../io/file-access.ts';
import { kindOf, namesIfPresent } from '../../io/file-tree.ts';
import type { Check, Outcome } from '../finding.ts';
import { failure, fine, warning } from '../outcome.ts';
import type { Subject } from './subject.ts';

/** Where bitcoind keeps a network's chain below its data directory. */
const BELOW: Readonly<Record<Network, string>> = {
  mainnet: '',
  testnet4: 'testnet4',
  signet: 'signet',
  regtest: 'regtest',
};

/** What each block in a block file begins with (Bitcoin Core, kernel/chainparams.cpp). */
const MAGIC: Readonly<Record<string, Network | 'testnet3'>> = {
  f9beb4d9: 'mainnet',
  '1c163f28': 'testnet4',
  '0a03cf40': 'signet',
  fabfb5da: 'regtest',
  '0b110907': 'testnet3',
};

const FIRST_FILE = 'blk00000.dat';

/** Whether bitcoind can go on with the data directory that `bitcoin_data` names. It is only read. */
export function existingChainCheck(subject: Subject, directory: string): Check {
  return {
    id: 'bitcoin-data',
    title: 'bitcoin_data',
    run: () => inspect(subject, directory),
  };
}

async function inspect({ config, user }: Subject, directory: string): Promise<Outcome> {
  if ((await kindOf(directory)) !== 'directory') {
    return failure(`${directory} is not a directory`, 'Name the directory that holds `blocks`.');
  }
  const { network } = config;
  const chain = join(directory, BELOW[network]);
  const blocks = join(chain, 'blocks');
  if ((await kindOf(blocks)) === undefined) return withoutChain(network, directory);
  const found = await networkOf(blocks);
  if (found !== undefined && found !== network) {
    return failure(
      `${blocks} holds blocks of ${found}, not of ${network}`,
      'Name the directory above, or choose the other network.',
    );
  }
  for (const path of [join(chain, '.lock'), join(blocks, '.lock')]) {
    if ((await kindOf(path)) === undefined || !(await isLocked(path))) continue;
    return failure(`a bitcoind uses ${chain} now`, 'Stop it for good: two cannot share it.');
  }
  const names = (await namesIfPresent(blocks)).filter((name) => /^blk\d{5,}\.dat$/.test(name));
  if (names.length > 0 && !names.includes(FIRST_FILE)) {
    return failure(
      `${blocks} is pruned: the first blocks are missing`,
      'An Electrum server needs all blocks. Leave bitcoin_data out to fetch them.',
    );
  }
  for (const path of [directory, chain, blocks]) {
    if (await mayWrite(path, user)) continue;
    return failure(
      `the services run as user ${user.uid}, who may not write to ${path}`,
      `Give it to them: sudo chown -R ${user.uid}:${user.gid} ${directory}`,
    );
  }
  if ((await kindOf(join(chain, 'chainstate_snapshot'))) !== undefined) {
    return warning(
      `${chain} was begun from a snapshot, and is not complete yet`,
      'The index is built once bitcoind has fetched all blocks.',
    );
  }
  return fine(`${names.length} block files of ${network} in ${chain}`);
}

async function withoutChain(network: Network, directory: string): Promise<Outcome> {
  for (const other of Object.keys(BELOW) as Network[]) {
    if ((await kindOf(join(directory, BELOW[other], 'blocks'))) === undefined) continue;
    return failure(
      `${directory} holds a chain of ${other}, and none of ${network}`,
      `Name another directory, or give --network ${other}.`,
    );
  }
  return warning(
    `${directory} holds no chain yet`,
    'All blocks will be fetched into it. To keep them on another disk, --storage is enough.',
  );
}

/** As the first block says. From release 28 on, files are masked with the key in `xor.dat`. */
async function networkOf(blocks: string): Promise<Network | 'testnet3' | undefined> {
  const first = join(blocks, FIRST_FILE);
  if ((await kindOf(first)) !== 'file') return undefined;
  const key = join(blocks, 'xor.dat');
  const mask = (await kindOf(key)) === 'file' ? await readStart(key, 4) : new Uint8Array(4);
  const start = await readStart(first, 4);
  return MAGIC[toHex(start.map((byte, index) => byte ^ (mask[index] ?? 0)))];
}
