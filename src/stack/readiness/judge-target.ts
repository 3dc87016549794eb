import { networkParams } from '../../bitcoin/networks.ts';
import {
  done,
  failed,
  type Judge,
  type Judgement,
  MINUTE_MS,
  skipped,
  type Subject,
  working,
} from './judgement.ts';
import { LEAST_FREE_MEGABYTES } from './judge-bitcoind.ts';
import { failureOf, type Observations, valueOf } from './observations.ts';

const CALLING = 'calls it through Tor';

const INDEX_ADVICE = {
  text: '`sotto logs target` shows what it does. A slow disk is the most common reason: an index needs an SSD.',
  afterMs: 30 * MINUTE_MS,
};
const TARGET_ADVICE = { text: '`sotto logs target` shows why.', afterMs: 2 * MINUTE_MS };
/** It answers when it has verified the headers: on mainnet the first time takes a while. */
const BRIDGE_ADVICE = { text: '`sotto logs bridge` shows what it does.', afterMs: 10 * MINUTE_MS };
const ONION_ADVICE = {
  text: 'A new onion can take a few minutes to be found. If it is not: `sotto restart tor`, then `sotto doctor`.',
  afterMs: 5 * MINUTE_MS,
};
const RELAY_ADVICE = {
  text: '`sotto logs node` shows whether the node runs. If it does: `sotto restart tor`.',
  afterMs: 5 * MINUTE_MS,
};
const DISK_FULL_HINT =
  'Make room on the disk, then `sotto restart target`. electrs needs less room than Fulcrum: `target: electrs`.';

/** An index is made of the blocks on this disk, without the network. */
function anewHint({ indexDirectory }: Subject): string {
  return (
    `\`sotto down\`, remove all in ${indexDirectory}, \`sotto up\`: the index is made anew from the blocks on ` +
    'this disk. Chain and keys stay as they are.'
  );
}

export const judgeIndex: Judge = (observations, { subject }) => {
  if (subject.target === 'devnet') return skipped('the target brings its own chain');
  const { target, targetLog, bitcoind } = observations;
  const chain = valueOf(bitcoind);
  const answer = valueOf(target);
  if (answer !== undefined && chain !== undefined && chain.warmUp === undefined) {
    // The newest block may have come between the two questions.
    if (answer.height >= chain.blocks - 1) return done(`block ${answer.height}`);
    return partOf(answer.height, chain.blocks);
  }
  const trouble = troubleOf(observations, subject);
  if (trouble !== undefined) return trouble;
  const seen = valueOf(targetLog);
  if (seen?.progress !== undefined) {
    const where = seen.height === undefined ? 'under way' : `block ${seen.height}`;
    return { ...working(where, INDEX_ADVICE), progress: seen.progress };
  }
  if (seen?.waitsForBitcoind) return working('waits for bitcoind');
  if (chain?.warmUp === undefined && chain?.txindexHeight !== undefined) {
    const { txindexHeight, blocks } = chain;
    if (txindexHeight < blocks - 1) {
      return working(`bitcoind indexes transactions, block ${txindexHeight} of ${blocks}`);
    }
  }
  return working(answer === undefined ? 'the target starts' : 'waits for bitcoind', INDEX_ADVICE);
};

export const judgeTarget: Judge = ({ target }, { subject }) => {
  const answer = valueOf(target);
  if (answer === undefined) return working(failureOf(target), TARGET_ADVICE);
  if (answer.genesisHash !== networkParams(subject.network).genesisHash) {
    return failed(`it serves another chain than ${subject.network}`, anewHint(subject));
  }
  return done(`${answer.server}, block ${answer.height}`);
};

export const judgeBridge: Judge = ({ bridge }, { subject }) => {
  if (subject.bridge === undefined) return skipped('no bridge configured');
  const answer = valueOf(bridge);
  if (answer === undefined) return working(failureOf(bridge), BRIDGE_ADVICE);
  return done(`${subject.bridge}, block ${answer.height}`);
};

export const judgeWalletOnion: Judge = ({ target, bridge, walletOnion }, { subject }) => {
  const own = subject.bridge === undefined ? target : bridge;
  const direct = valueOf(own);
  const through = valueOf(walletOnion);
  if (through === undefined)
    return working(walletOnion ? failureOf(walletOnion) : CALLING, ONION_ADVICE);
  if (direct === undefined) return working(failureOf(own), ONION_ADVICE);
  const isSame =
    through.genesisHash === direct.genesisHash &&
    Math.abs(through.height - direct.height) <= 1 &&
    (through.height !== direct.height || through.tipHash === direct.tipHash);
  return isSame ? done(`block ${through.height}`) : working('it shows another chain there');
};

export const judgeRelayOnion: Judge = ({ relayOnion }) =>
  valueOf(relayOnion) === undefined
    ? working(relayOnion ? failureOf(relayOnion) : CALLING, RELAY_ADVICE)
    : done('HELLO');

function partOf(height: number, blocks: number): Judgement {
  return { ...working(`block ${height} of ${blocks}`, INDEX_ADVICE), progress: height / blocks };
}

function troubleOf(
  { targetLog, freeMegabytes }: Observations,
  subject: Subject,
): Judgement | undefined {
  const isFull = (valueOf(freeMegabytes) ?? Infinity) < LEAST_FREE_MEGABYTES;
  switch (isFull ? 'disk-full' : valueOf(targetLog)?.trouble) {
    case 'corrupt':
      return failed('the index is damaged', anewHint(subject));
    case 'disk-full':
      return failed('the disk is full', DISK_FULL_HINT);
    case 'other-network':
      return failed('the index is of another network', anewHint(subject));
    case undefined:
      return undefined;
  }
}
