import { BLOCK_SPACING_SECONDS } from '../../bitcoin/networks.ts';
import {
  done,
  failed,
  type Judge,
  type JudgeContext,
  type Judgement,
  MINUTE_MS,
  skipped,
  working,
} from './judgement.ts';
import { type BitcoindObservation, failureOf, type Observations, valueOf } from './observations.ts';

type Answering = Exclude<BitcoindObservation, { warmUp: string }>;

const OWN_CHAIN = 'the target brings its own chain';
/** bitcoind asks for blocks once its headers are so near to the present. */
const RECENT_HEADER_SECONDS = 24 * 3600;
/** bitcoind stops by itself below 50 MB, and indexes die without a word when there is none. */
export const LEAST_FREE_MEGABYTES = 256;

const SILENT_ADVICE = {
  text: '`sotto logs bitcoind` shows what it does. After a power cut it may check its blocks first.',
  afterMs: 2 * MINUTE_MS,
};
const NO_PEERS_ADVICE = {
  text:
    'The first peers over Tor can take half an hour. If none come: `sotto restart bitcoind`; ' +
    '`sotto doctor` looks for what is in the way.',
  afterMs: 15 * MINUTE_MS,
};
const SLOW_ADVICE = {
  text: 'Blocks come over Tor, from peers that may be slow. If none come for an hour: `sotto restart bitcoind`.',
  afterMs: 30 * MINUTE_MS,
};
const DISK_FULL_HINT =
  'Make room on the disk, or move chain and index: name the new place as `storage` in sotto.yaml, ' +
  'move the files there, then `sotto up`.';
const OTHER_NETWORK_HINT = 'Name another directory in sotto.yaml, or another network.';

function corruptHint({ chainDirectory }: JudgeContext['subject']): string {
  return (
    'Most often a failing disk or a power cut does that: look after the disk first. Then `sotto down`, ' +
    `remove \`blocks\` and \`chainstate\` in ${chainDirectory}, \`sotto up\`: they come again over Tor.`
  );
}

export const judgeHeaders: Judge = (observations, context) => {
  const seen = answering(observations, context);
  if ('state' in seen) return seen;
  const { headers, initialBlockDownload, newestHeaderTime, presyncedHeaders, peers } = seen;
  if (!initialBlockDownload) return done(`${headers} headers`);
  if (presyncedHeaders !== undefined) {
    return working(`checks the work of a peer’s headers, ${presyncedHeaders} so far`, SLOW_ADVICE);
  }
  const behind = secondsBehind(newestHeaderTime, context);
  const isRecent = behind !== undefined && behind < RECENT_HEADER_SECONDS;
  if (isRecent || context.subject.network === 'regtest') return done(`${headers} headers`);
  if (peers === 0) return working('looks for peers', NO_PEERS_ADVICE);
  if (behind === undefined) return working(`${headers} headers`, SLOW_ADVICE);
  const expected = headers + behind / BLOCK_SPACING_SECONDS;
  return {
    ...working(`${headers} of about ${Math.round(expected)}`, SLOW_ADVICE),
    progress: headers / expected,
  };
};

export const judgeBlocks: Judge = (observations, context) => {
  const seen = answering(observations, context);
  if ('state' in seen) return seen;
  const { blocks, headers, initialBlockDownload, progress, peers, tipTime } = seen;
  const free = valueOf(observations.freeMegabytes);
  if (free !== undefined && free < LEAST_FREE_MEGABYTES) {
    return failed('the disk is full', DISK_FULL_HINT);
  }
  // The newest block's header may be a moment ahead of it.
  const hasAll = blocks >= headers - 1;
  if (!initialBlockDownload && hasAll) {
    const lonely = peers === 0 && context.subject.network !== 'regtest';
    return done(lonely ? `block ${blocks}, no peers now` : `block ${blocks}`);
  }
  const some = { progress: Math.min(progress, 1) };
  if (peers === 0 && context.subject.network !== 'regtest') {
    return {
      ...working(`block ${blocks} of ${headers}, looks for peers`, NO_PEERS_ADVICE),
      ...some,
    };
  }
  if (hasAll) {
    const hours = Math.round((context.nowMs / 1000 - tipTime) / 3600);
    return {
      ...working(`block ${blocks} is ${hours} h old, waits for newer ones`, SLOW_ADVICE),
      ...some,
    };
  }
  return { ...working(`block ${blocks} of ${headers}, ${peers} peers`, SLOW_ADVICE), ...some };
};

/** What bitcoind said of itself, or what to say of a bitcoind that does not answer. */
function answering(
  { bitcoind, bitcoindLog }: Observations,
  { subject }: JudgeContext,
): Answering | Judgement {
  if (subject.target === 'devnet') return skipped(OWN_CHAIN);
  const seen = valueOf(bitcoind);
  if (seen !== undefined && seen.warmUp === undefined) return seen;
  switch (valueOf(bitcoindLog)?.trouble) {
    case 'disk-full':
      return failed('the disk is full', DISK_FULL_HINT);
    case 'corrupt':
      return failed('the blocks on the disk are damaged', corruptHint(subject));
    case 'other-network':
      return failed('its data is of another network', OTHER_NETWORK_HINT);
    case undefined:
  }
  const doing = seen?.warmUp ?? failureOf(bitcoind);
  return working(seen === undefined ? doing : `starts: ${doing}`, SILENT_ADVICE);
}

function secondsBehind(time: number | undefined, { nowMs }: JudgeContext): number | undefined {
  return time === undefined ? undefined : Math.max(0, nowMs / 1000 - time);
}
