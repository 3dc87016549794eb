import assert from 'node:assert/strict';
import { test } from 'vitest';
import { networkParams } from '../../bitcoin/networks.ts';
import type { AuthorityAnswer } from '../../node/publication.ts';
import type { ServiceState } from '../backend.ts';
import type { ServiceName } from '../service.ts';
import type { Subject } from './judgement.ts';
import type {
  ListedConsensus,
  BitcoindObservation,
  ElectrumObservation,
  Observations,
  OnionObservation,
  TorObservation,
} from './observations.ts';
import { Readiness } from './readiness.ts';
import { isReady, type Step, type StepId } from './step.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 10, 22);

const mainnet: Subject = {
  network: 'mainnet',
  target: 'fulcrum',
  onions: ['wallet', 'relay', 'p2p'],
  membership: 'none',
  chainDirectory: '/home/data/bitcoind',
  indexDirectory: '/home/data/target',
};

const published: OnionObservation = { hasDescriptor: true, introductions: 3, uploads: 'stored' };
const tor: TorObservation = {
  bootstrapPercent: 100,
  summary: 'Done',
  circuitEstablished: true,
  dormant: false,
  onions: { wallet: published, relay: published, p2p: published },
};
type Answering = Exclude<BitcoindObservation, { warmUp: string }>;
const synced: Answering = {
  blocks: 900_000,
  headers: 900_000,
  progress: 0.99999,
  initialBlockDownload: false,
  tipTime: NOW / 1000 - 600,
  peers: 8,
  txindexHeight: 900_000,
};
const answer: ElectrumObservation = {
  server: 'Fulcrum 2.1.1',
  genesisHash: networkParams('mainnet').genesisHash,
  height: 900_000,
  tipHash: 'ab'.repeat(32),
};
const everything: Observations = {
  tor: { value: tor },
  bitcoind: { value: synced },
  target: { value: answer },
  walletOnion: { value: answer },
  relayOnion: { value: true },
  freeMegabytes: { value: 100_000 },
};

function look(observations: Observations, subject = mainnet): Readonly<Record<StepId, Step>> {
  return byId(new Readiness(subject).steps(observations, NOW));
}

function byId(steps: readonly Step[]): Readonly<Record<StepId, Step>> {
  return Object.fromEntries(steps.map((step) => [step.id, step])) as Record<StepId, Step>;
}

function states(steps: Readonly<Record<StepId, Step>>): string {
  return Object.values(steps)
    .map(({ state }) => state)
    .join(' ');
}

function chain(change: Partial<Answering>): Observations {
  return { ...everything, bitcoind: { value: { ...synced, ...change } } };
}

function service(name: ServiceName, change: Partial<ServiceState> = {}): ServiceState {
  return { service: name, state: 'running', restarts: 0, ...change };
}

test('a server of which all is seen to answer is ready', () => {
  const steps = look(everything);
  assert.equal(states(steps), 'done done done done done done skipped done done skipped');
  assert.equal(steps.listed.detail, 'no relay network configured');
  assert.equal(steps.bridge.detail, 'no bridge configured');
  assert.ok(isReady(Object.values(steps)));
});

test('nothing is done before it was looked at, and each step says what it waits for', () => {
  const steps = look({});
  assert.equal(
    states(steps),
    'working waiting working waiting waiting waiting skipped waiting waiting skipped',
  );
  assert.equal(steps.onions.detail, 'first: tor reaches its network');
  assert.equal(steps.blocks.detail, 'first: bitcoind has the headers');
  assert.equal(steps.tor.detail, 'not known yet');
});

test('tor tells how far it is, and after five minutes what helps', () => {
  const readiness = new Readiness(mainnet);
  const stuck = {
    ...everything,
    tor: { value: { ...tor, bootstrapPercent: 30, summary: 'Loading networkstatus consensus' } },
  };
  const at = (ms: number): Step => byId(readiness.steps(stuck, NOW + ms)).tor;
  assert.deepEqual(at(0), {
    id: 'tor',
    title: 'tor reaches its network',
    state: 'working',
    detail: 'loading networkstatus consensus',
    percent: 30,
    sinceMs: NOW,
  });
  assert.equal(at(5 * MINUTE - 1).hint, undefined);
  assert.match(at(5 * MINUTE).hint ?? '', /watchdog/);
  assert.equal(at(5 * MINUTE).etaSeconds, undefined);
});

test('a tor without a circuit is not connected, unless it is at rest', () => {
  const without = { ...tor, circuitEstablished: false };
  assert.equal(look({ tor: { value: without } }).tor.state, 'working');
  assert.equal(look({ tor: { value: { ...without, dormant: true } } }).tor.state, 'done');
});

test('a tor that the watchdog could not free has failed, until it is connected again', () => {
  const stuck = { ...tor, bootstrapPercent: 30, isGivenUp: true };
  const { state, hint } = look({ tor: { value: stuck } }).tor;
  assert.equal(state, 'failed');
  assert.match(hint ?? '', /online/);
  assert.equal(look({ tor: { value: { ...tor, isGivenUp: true } } }).tor.state, 'done');
});

test('an onion is published when a directory keeps its descriptor, or clients could be introduced', () => {
  const waitsFor = (wallet: OnionObservation): string => {
    const { onions } = look({ tor: { value: { ...tor, onions: { ...tor.onions, wallet } } } });
    return onions.detail;
  };
  const all = 'wallet, relay, p2p';
  assert.equal(waitsFor({ hasDescriptor: false, introductions: 0, uploads: 'stored' }), all);
  assert.equal(waitsFor({ hasDescriptor: true, introductions: 1, uploads: 'unheard' }), all);
  for (const wallet of [
    { hasDescriptor: true, introductions: 0, uploads: 'unheard' },
    { hasDescriptor: false, introductions: 3, uploads: 'unheard' },
    { hasDescriptor: true, introductions: 3, uploads: 'under-way' },
  ] as const) {
    assert.equal(waitsFor(wallet), 'waits for wallet');
  }
});

test('bitcoind’s own words are shown while it starts', () => {
  const steps = look({ bitcoind: { value: { warmUp: 'Verifying blocks…' } } });
  assert.equal(steps.headers.detail, 'starts: Verifying blocks…');
  assert.equal(steps.headers.state, 'working');
});

test('without peers bitcoind looks for some, and after a quarter of an hour there is advice', () => {
  const alone = chain({
    blocks: 0,
    headers: 0,
    progress: 0,
    initialBlockDownload: true,
    newestHeaderTime: 1_231_006_505,
    peers: 0,
  });
  const readiness = new Readiness(mainnet);
  const at = (ms: number): Step => byId(readiness.steps(alone, NOW + ms)).headers;
  assert.equal(at(0).detail, 'looks for peers');
  assert.equal(at(14 * MINUTE).hint, undefined);
  assert.match(at(15 * MINUTE).hint ?? '', /sotto doctor/);
});

test('headers count against what ten minutes each must have brought since the newest', () => {
  const halfway = chain({
    blocks: 0,
    headers: 100_000,
    progress: 0,
    initialBlockDownload: true,
    newestHeaderTime: NOW / 1000 - 60_000_000,
  });
  const { headers, blocks } = look(halfway);
  assert.equal(headers.detail, '100000 of about 200000');
  assert.equal(headers.percent, 50);
  assert.equal(blocks.state, 'working');
});

test('headers whose work is checked first are told, and those of yesterday are enough', () => {
  const early = { blocks: 0, headers: 0, initialBlockDownload: true, newestHeaderTime: 1 };
  assert.match(look(chain({ ...early, presyncedHeaders: 12_000 })).headers.detail, /12000 so far/);
  const late = { ...early, headers: 900_000, newestHeaderTime: NOW / 1000 - 23 * 3600 };
  assert.equal(look(chain(late)).headers.state, 'done');
});

test('blocks tell their part of the work and, once it can be known, the time that is left', () => {
  const readiness = new Readiness(mainnet);
  const at = (ms: number): Step => {
    const part = 0.25 + ms / (1000 * MINUTE);
    const some = { blocks: 400_000, progress: part, initialBlockDownload: true };
    const newestHeaderTime = NOW / 1000;
    return byId(readiness.steps(chain({ ...some, newestHeaderTime }), NOW + ms)).blocks;
  };
  assert.equal(at(0).percent, 25);
  assert.equal(at(0).etaSeconds, undefined);
  let last = at(0);
  for (let ms = 0; ms <= 5 * MINUTE; ms += 3000) last = at(ms);
  assert.equal(last.percent, 25.5);
  assert.equal(last.etaSeconds, 745 * 60);
  assert.equal(last.detail, 'block 400000 of 900000, 8 peers');
});

test('a chain that stands still has no end in sight, and advice after half an hour', () => {
  const readiness = new Readiness(mainnet);
  const some = { blocks: 400_000, progress: 0.25, initialBlockDownload: true };
  const stuck = chain({ ...some, newestHeaderTime: NOW / 1000 });
  let last = byId(readiness.steps(stuck, NOW)).blocks;
  for (let ms = 0; ms <= 30 * MINUTE; ms += 3000) {
    last = byId(readiness.steps(stuck, NOW + ms)).blocks;
  }
  assert.equal(last.etaSeconds, undefined);
  assert.match(last.hint ?? '', /restart bitcoind/);
});

test('an index is ready when the target has the newest block or the one before', () => {
  const withHeight = (height: number): Step =>
    look({ ...everything, target: { value: { ...answer, height } } }).index;
  assert.equal(withHeight(900_000).state, 'done');
  assert.equal(withHeight(899_999).state, 'done');
  const partial = withHeight(450_000);
  assert.equal(partial.state, 'working');
  assert.equal(partial.percent, 50);
});

test('an index gets on while blocks still come', () => {
  const steps = look({
    ...chain({ progress: 0.5, initialBlockDownload: true, newestHeaderTime: NOW / 1000 }),
    target: { failure: 'nothing answers' },
    targetLog: {
      value: { trouble: undefined, height: 300_000, progress: 0.1, waitsForBitcoind: false },
    },
  });
  assert.equal(steps.blocks.state, 'working');
  assert.equal(steps.index.state, 'working');
  assert.equal(steps.index.percent, 10);
  assert.equal(steps.target.state, 'waiting');
});

test('a target that serves another chain has failed', () => {
  const genesisHash = networkParams('signet').genesisHash;
  const { target } = look({ ...everything, target: { value: { ...answer, genesisHash } } });
  assert.equal(target.state, 'failed');
  assert.match(target.hint ?? '', /remove all in \/home\/data\/target,/);
});

test('the onion must show the chain that the target shows', () => {
  const through = (change: Partial<ElectrumObservation>): string =>
    look({ ...everything, walletOnion: { value: { ...answer, ...change } } })['wallet-onion'].state;
  assert.equal(through({ height: 900_001, tipHash: 'cd'.repeat(32) }), 'done');
  assert.equal(through({ height: 900_002 }), 'working');
  assert.equal(through({ tipHash: 'cd'.repeat(32) }), 'working');
  assert.equal(through({ genesisHash: 'cd'.repeat(32) }), 'working');
});

test('a relayed bridge answers wallets while the index is still made, a direct one waits for it', () => {
  const seen: Observations = {
    ...everything,
    target: { failure: 'nothing answers' },
    bridge: { value: { ...answer, server: 'sotto' } },
  };
  const relayed = look(seen, { ...mainnet, bridge: 'relayed' });
  assert.equal(relayed.index.state, 'working');
  assert.equal(relayed.bridge.detail, 'relayed, block 900000');
  assert.equal(relayed['wallet-onion'].state, 'done');
  const silent = { ...seen, bridge: { failure: 'nothing answers' } };
  const direct = look(silent, { ...mainnet, bridge: 'direct' });
  assert.equal(direct.bridge.detail, 'first: the target answers');
  assert.equal(direct['wallet-onion'].detail, 'first: the bridge answers');
});

test('a full disk and damaged data have failed, with what to do', () => {
  const full = look({ ...everything, freeMegabytes: { value: 100 } });
  assert.equal(full.blocks.state, 'failed');
  const silent = { failure: 'nothing answers' };
  const broken = { trouble: 'corrupt', waitsForBitcoind: false } as const;
  const chainGone = look({ ...everything, bitcoind: silent, bitcoindLog: { value: broken } });
  assert.equal(chainGone.headers.state, 'failed');
  assert.match(chainGone.headers.hint ?? '', /`chainstate` in \/home\/data\/bitcoind,/);
  const indexGone = look({ ...everything, target: silent, targetLog: { value: broken } });
  assert.equal(indexGone.index.state, 'failed');
  assert.match(indexGone.index.hint ?? '', /made anew/);
});

test('a server that is stopped waits, and is not taken for a broken one', () => {
  const names: readonly ServiceName[] = ['tor', 'bitcoind', 'target', 'node'];
  const stopped = names.map((name) => service(name, { state: 'stopped' }));
  const steps = look({ services: { value: stopped }, tor: { failure: 'nothing answers' } });
  assert.equal(
    states(steps),
    'waiting waiting waiting waiting waiting waiting skipped waiting waiting skipped',
  );
  assert.equal(steps.tor.detail, 'the server is stopped');
});

test('one service that does not run, while others do, has failed', () => {
  const services = [service('tor'), service('bitcoind', { state: 'stopped' })];
  const steps = look({ ...everything, bitcoind: undefined, services: { value: services } });
  assert.equal(steps.headers.state, 'failed');
  assert.equal(steps.headers.detail, 'bitcoind does not run');
});

test('a service that ends again and again has failed, but not for what it did before its turn', () => {
  const readiness = new Readiness(mainnet);
  const at = (restarts: number, rest: Partial<Observations> = {}): Step => {
    const target = service('target', { restarts, lastExit: 'code 1' });
    const seen = { services: { value: [target] }, target: { failure: 'nothing answers' } };
    return byId(readiness.steps({ ...everything, ...seen, ...rest }, NOW)).index;
  };
  assert.equal(at(40, { bitcoind: undefined }).state, 'waiting');
  assert.equal(at(44).state, 'working');
  assert.equal(at(48).state, 'working');
  const given = at(49);
  assert.equal(given.state, 'failed');
  assert.equal(given.detail, 'target ended 5 times, last with code 1');
});

/** What the probe sees of a node whose policy names no onions. */
const inEpoch = (
  epoch: number,
  validUntil: number,
  { node }: Partial<ListedConsensus> = {},
): Observations['listed'] => ({
  value: { consensus: { epoch, validUntil, node }, authorities: 0, answers: [] },
});

test('a chain of the target’s own needs no bitcoind, and a relay network needs a place in it', () => {
  const devnet: Subject = {
    ...mainnet,
    network: 'regtest',
    target: 'devnet',
    onions: ['wallet', 'relay'],
    membership: 'joins',
  };
  const regtest = { ...answer, genesisHash: networkParams('regtest').genesisHash };
  const seen: Observations = {
    ...everything,
    bitcoind: undefined,
    target: { value: regtest },
    walletOnion: { value: regtest },
    listed: inEpoch(7, NOW / 1000 + 60),
  };
  const steps = look(seen, devnet);
  assert.equal(states(steps), 'done done skipped skipped skipped done skipped done done working');
  assert.equal(steps.listed.detail, 'not in epoch 7; the policy names the onion of no authority');
  const node = { flags: ['Relay', 'Gateway'], weight: 50, share: 0.25 };
  const then = (validUntil: number): Step =>
    look({ ...seen, listed: inEpoch(8, validUntil, { node }) }, devnet).listed;
  assert.equal(then(NOW / 1000 + 60).state, 'done');
  assert.equal(then(NOW / 1000 + 60).detail, 'epoch 8, Relay,Gateway, weight 50 (25 %)');
  assert.equal(then(NOW / 1000).detail, 'epoch 8 is out of date');
});

test('a node whose authorities have signed two consensuses of one epoch fails, and names them', () => {
  const fork = { epoch: 7, convicted: ['anna', 'ben'] };
  const listed = { value: { consensus: undefined, authorities: 3, answers: [], fork } };
  const step = look({ ...everything, listed }, { ...mainnet, membership: 'joins' }).listed;
  assert.equal(step.detail, 'two consensuses of epoch 7 are signed by anna, ben');
  assert.equal(step.state, 'failed');
});

test('a node that is not listed tells what the authorities say, and fails when most refuse it', () => {
  const relaying: Subject = { ...mainnet, membership: 'joins' };
  const says = (...verdicts: readonly AuthorityAnswer['verdict'][]): Step => {
    const answers = verdicts.map((verdict, index) => ({
      authority: `a${index + 1}`,
      verdict,
      reason: verdict === 'taken' ? '' : 'why',
      at: 0,
    }));
    const listed = { value: { consensus: undefined, authorities: 3, answers } };
    return look({ ...everything, listed }, relaying).listed;
  };
  assert.equal(says().detail, 'no consensus yet; 0 of 3 authorities took the descriptor');
  const some = says('taken', 'refused', 'unreached');
  assert.equal(some.state, 'working');
  assert.equal(
    some.detail,
    'no consensus yet; 1 of 3 authorities took the descriptor; a2 refused: why; a3 unreached: why',
  );
  const most = says('refused', 'refused');
  assert.equal(most.state, 'failed');
  assert.match(most.hint ?? '', /explains the code/);
});

test.each([
  { what: 'a clock that is ahead', reason: 'not-yet-valid: later than now', verdict: 'later' },
  { what: 'a clock that is behind', reason: 'expired: it has expired', verdict: 'refused' },
] as const)('$what is told as such by one answer', ({ reason, verdict }) => {
  const relaying: Subject = { ...mainnet, membership: 'joins' };
  const answers = [{ authority: 'a1', verdict, reason, at: 0 }];
  const listed = { value: { consensus: undefined, authorities: 3, answers } };
  const step = look({ ...everything, listed }, relaying).listed;
  assert.equal(step.state, 'working');
  assert.match(step.hint ?? '', /clock of this machine/);
});

test('that no authority is reached is told at once, and that some are not is no alarm', () => {
  const relaying: Subject = { ...mainnet, membership: 'joins' };
  const hintOf = (...verdicts: readonly AuthorityAnswer['verdict'][]): string | undefined => {
    const answers = verdicts.map((verdict, index) => ({
      ...{ authority: `a${index}`, verdict, reason: 'no way', at: 0 },
    }));
    const listed = { value: { consensus: undefined, authorities: 2, answers } };
    return look({ ...everything, listed }, relaying).listed.hint;
  };
  assert.match(hintOf('unreached', 'unreached') ?? '', /No authority is reached/);
  assert.equal(hintOf('unreached'), undefined);
  assert.equal(hintOf('unreached', 'taken'), undefined);
});

test('a node that is listed tells once what of its descriptor does not count', () => {
  const relaying: Subject = { ...mainnet, membership: 'joins' };
  const node = { flags: ['Relay'], weight: 1, share: 1 };
  const answers = ['a1', 'a2'].map((authority) => ({
    ...{ authority, verdict: 'taken' as const, at: 0 },
    reason: 'one-sided-family: 1 of 1 that it names do not name it',
  }));
  const consensus = { epoch: 7, validUntil: NOW / 1000 + 60, node };
  const listed = { value: { consensus, authorities: 2, answers } };
  assert.equal(
    look({ ...everything, listed }, relaying).listed.detail,
    'epoch 7, Relay, weight 1 (100 %); one-sided-family: 1 of 1 that it names do not name it',
  );
});

test('a node that leaves is done when no consensus lists it', () => {
  const leaving: Subject = { ...mainnet, membership: 'leaves' };
  const node = { flags: ['Relay'], weight: 1, share: 1 };
  const validUntil = NOW / 1000 + 60;
  const still = look({ ...everything, listed: inEpoch(7, validUntil, { node }) }, leaving).listed;
  assert.equal(still.state, 'working');
  const gone = look({ ...everything, listed: inEpoch(8, validUntil) }, leaving).listed;
  assert.deepEqual([gone.state, gone.detail], ['done', 'left; not in epoch 8']);
});

test('a step keeps since when it waits, and what was done can be lost again', () => {
  const readiness = new Readiness(mainnet);
  const at = (observations: Observations, ms: number): Step =>
    byId(readiness.steps(observations, NOW + ms)).tor;
  const lost = { ...everything, tor: { failure: 'nothing answers' } };
  assert.equal(at(everything, 0).sinceMs, NOW);
  assert.equal(at(everything, MINUTE).sinceMs, NOW);
  const after = at(lost, 2 * MINUTE);
  assert.equal(after.state, 'working');
  assert.equal(after.sinceMs, NOW + 2 * MINUTE);
});
