import assert from 'node:assert/strict';
import { beforeAll, beforeEach, test } from 'vitest';
import { type ProbedChain, probedChain } from '../../test/probed-chain.ts';
import { TEST_TIME, testConsensus } from '../../test/test-directory.ts';
import { fromHex } from '../base/bytes.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { historyStatus } from '../electrum/history-status.ts';
import { AttemptError, type Suspect } from '../lookup/attempt-error.ts';
import { type LookupErrorCode } from '../lookup/fault.ts';
import { decodeHistoryBody, encodeHistoryBody } from '../query/history-body.ts';
import { encodeTransactionBody } from '../query/transaction-body.ts';
import { encodeQuery, type Query } from '../query/query.ts';
import { type Reply } from '../relay/message.ts';
import { CarriedCells } from './carried-cells.ts';
import { type KnownHistory } from './known-scripts.ts';
import { type AskThrough, probeGateway } from './probe-gateway.ts';

const { signal } = new AbortController();
const consensus = testConsensus();
const [gateway, ...relays] = consensus.nodes as [ConsensusNode, ...ConsensusNode[]];
const [one, two, three] = relays as [ConsensusNode, ConsensusNode, ConsensusNode];

let probed: ProbedChain;
let asked: { readonly relay: ConsensusNode; readonly query: Query }[];
let carried: CarriedCells;
/** How a way through a relay fails. */
let losing: Map<ConsensusNode, AttemptError>;
let answer: (reply: Reply) => Reply;
let isProved: boolean;
let now: number;

beforeAll(() => {
  probed = probedChain();
});
beforeEach(() => {
  asked = [];
  carried = new CarriedCells();
  losing = new Map();
  answer = (reply) => reply;
  isProved = true;
  now = consensus.freshUntil * 1000;
});

const ask: AskThrough = async (relay, query) => {
  asked.push({ relay, query });
  const error = losing.get(relay);
  if (error !== undefined) throw error;
  const reply = answer(await probed.gateway(encodeQuery(query), { signal }));
  const [request, bytes] = [new Uint8Array(), new Uint8Array()];
  return { reply, evidence: { nodeId: gateway.nodeId, request, reply: bytes } };
};

function known(scriptHash: string): KnownHistory {
  return {
    scriptHash,
    tip: probed.headers.chain.tip,
    items: probed.chain.ledger.history(scriptHash),
  };
}

const probe = (): Promise<void> =>
  probeGateway(
    { consensus, gateway, known: known(probed.paid[0] ?? ''), relays, ask },
    {
      scripts: { isProved: () => Promise.resolve(isProved) },
      headers: probed.headers,
      carried,
      now: () => now,
      clock: () => now,
    },
    signal,
  );

const fails = (code: LookupErrorCode, suspect: Suspect): AttemptError =>
  new AttemptError(code, { suspect });

/** The relays that are said to have lost the last cell that they were given. */
function losers(): readonly ConsensusNode[] {
  const last = new Map(carried.entries());
  return relays.filter(({ nodeId }) => last.get(nodeId)?.at(-1)?.carried === false);
}

/** The honest reply with another history of the same script. */
function changed(reply: Reply, change: 'leave out' | 'make up'): Reply {
  const { entries, first } = decodeHistoryBody(reply.body);
  const [entry] = entries;
  assert.ok(entry);
  const other = { ...entry, height: 0, proof: undefined, txid: '77'.repeat(32) };
  const now = change === 'leave out' ? [] : [...entries, other];
  const status = historyStatus(now);
  const body = encodeHistoryBody({ total: now.length, first, entries: now, status });
  return { ...reply, body };
}

test('a gateway that answers right through one relay passes, by the question of a wallet', async () => {
  await probe();
  assert.deepEqual(
    asked.map(({ relay }) => relay),
    [one],
  );
  for (const { query } of asked) {
    assert.ok(query.op === 'HISTORY' && query.proofs && query.raw);
  }
  assert.deepEqual(losers(), []);
});

test('one that leaves a transaction out is wrong', async () => {
  answer = (reply) => changed(reply, 'leave out');
  await assert.rejects(probe(), { kind: 'wrong' });
});

test('one that makes a transaction up is wrong', async () => {
  answer = (reply) => changed(reply, 'make up');
  await assert.rejects(probe(), { kind: 'wrong' });
});

test('one that signs what is no answer is wrong', async () => {
  answer = (reply) => ({ ...reply, body: null });
  await assert.rejects(probe(), { kind: 'wrong' });
});

test('one that does not sign is wrong', async () => {
  losing.set(one, fails('bad-signature', 'gateway'));
  await assert.rejects(probe(), { kind: 'wrong' });
});

test('one that leaves out what the target made up is not accused', async () => {
  answer = (reply) => changed(reply, 'leave out');
  isProved = false;
  await assert.rejects(probe(), { kind: 'unclear' });
});

test('one that is on another branch or far behind fails; one block behind is no fault', async () => {
  answer = (reply) => ({ ...reply, tipHash: new Uint8Array(32) });
  await assert.rejects(probe(), { name: 'Error', message: /branch/ });
  const before = ({ tipHeight }: Reply, behind: number): Partial<Reply> => ({
    tipHeight: tipHeight - behind,
    tipHash: fromHex(probed.headers.chain.headerAt(tipHeight - behind)?.hash ?? ''),
  });
  probed.chain.mine(4);
  answer = (reply) => ({ ...reply, ...before(reply, 3) });
  await assert.rejects(probe(), { name: 'Error', message: /3 blocks behind/ });
  answer = (reply) => ({ ...reply, ...before(reply, 1) });
  await probe();
});

test('nothing is learnt of one that knows newer blocks than the authority', async () => {
  answer = (reply) => ({ ...reply, tipHeight: reply.tipHeight + 1 });
  await assert.rejects(probe(), { kind: 'unclear' });
});

test('nothing is learnt while the chain changes its branch', async () => {
  answer = (reply) => {
    probed.chain.reorg(2);
    return changed(reply, 'make up');
  };
  await assert.rejects(
    probe(),
    (error) => error instanceof Error && !('kind' in error && error.kind === 'wrong'),
  );
});

test('what a relay loses is put down to it when others carry, and the gateway passes', async () => {
  losing.set(one, fails('no-answer', 'relay'));
  await probe();
  assert.deepEqual(
    asked.map(({ relay }) => relay),
    [one, two],
  );
  assert.deepEqual(losers(), [one]);
});

test('a relay that says falsely that the gateway is silent is found out in the same way', async () => {
  losing.set(one, fails('relay-timeout', 'either'));
  await probe();
  assert.deepEqual(losers(), [one]);
});

test('a gateway that is silent through all relays fails, and no relay is blamed', async () => {
  for (const relay of relays) losing.set(relay, fails('relay-timeout', 'either'));
  await assert.rejects(probe(), { name: 'Error', message: /no answer through 3 relays/ });
  assert.deepEqual(losers(), []);
});

test('nothing is learnt of a gateway when no relay can be reached', async () => {
  for (const relay of relays) losing.set(relay, fails('relay-unreachable', 'relay'));
  await assert.rejects(probe(), { kind: 'unclear' });
  assert.deepEqual(losers(), []);
});

test('a gateway that has too much to do for one relay passes by others, and nobody is blamed', async () => {
  losing.set(one, fails('overload', 'gateway'));
  await probe();
  assert.deepEqual(
    asked.map(({ relay }) => relay),
    [one, two],
  );
  assert.deepEqual(losers(), []);
});

test('one that is busy through two relays, and answers through none, fails', async () => {
  answer = (reply) => ({ ...reply, code: 'BUSY' });
  await assert.rejects(probe(), { name: 'Error', message: /no answer through 3 relays/ });
  answer = (reply) => reply;
  losing.set(one, fails('overload', 'gateway'));
  losing.set(two, fails('relay-timeout', 'either'));
  losing.set(three, fails('no-answer', 'relay'));
  await assert.rejects(probe(), { name: 'Error', message: /no answer through 3 relays/ });
  assert.deepEqual(losers(), []);
});

test('nothing is learnt of one that has too much to do for one relay when no other can be reached', async () => {
  for (const relay of relays) losing.set(relay, fails('relay-unreachable', 'relay'));
  losing.set(one, fails('overload', 'gateway'));
  await assert.rejects(probe(), { kind: 'unclear' });
});

test('what else a gateway signs as its own failure is not put down to the relay', async () => {
  losing.set(one, fails('open-failed', 'gateway'));
  await assert.rejects(probe(), { name: 'AttemptError', code: 'open-failed' });
  assert.deepEqual(losers(), []);
});

test('nodes have a while to take up a new consensus, and not longer', async () => {
  losing.set(one, fails('relay-does-not-list', 'relay'));
  now = (TEST_TIME + 60) * 1000;
  await probe();
  assert.deepEqual(losers(), []);
  losing.set(two, fails('directory-mismatch', 'gateway'));
  await assert.rejects(probe(), { kind: 'unclear' });
  now = consensus.freshUntil * 1000;
  await assert.rejects(probe(), { name: 'AttemptError', code: 'directory-mismatch' });
  assert.deepEqual(losers(), [one]);
});

/** The honest reply without the bytes of transactions, so that they are asked for one by one. */
function withoutBytes(reply: Reply): Reply {
  const history = decodeHistoryBody(reply.body);
  const entries = history.entries.map((entry) => ({ ...entry, raw: undefined }));
  return { ...reply, body: encodeHistoryBody({ ...history, entries }) };
}

const opLast = (): string | undefined => asked.at(-1)?.query.op;

test('one that tells of far more transactions than the target fails at its first page', async () => {
  answer = (reply) => {
    const { entries, status } = decodeHistoryBody(reply.body);
    const page = { total: 2000, first: 0, entries: entries.slice(0, 1), status };
    return { ...reply, body: encodeHistoryBody(page) };
  };
  await assert.rejects(probe(), { name: 'Error', message: /far more transactions/ });
  assert.equal(asked.length, 1);
});

test('one that gives its answer in very many pieces is not asked for all of them', async () => {
  const piece = { size: 400_000, offset: 0, bytes: new Uint8Array(1563), proof: undefined };
  answer = (reply) =>
    opLast() === 'TX' ? { ...reply, body: encodeTransactionBody(piece) } : withoutBytes(reply);
  await assert.rejects(probe(), { kind: 'unclear' });
  assert.equal(asked.length, 256);
});

test('one that cuts a transaction into crumbs fails at the first', async () => {
  const piece = { size: 400_000, offset: 0, bytes: Uint8Array.of(1), proof: undefined };
  answer = (reply) =>
    opLast() === 'TX' ? { ...reply, body: encodeTransactionBody(piece) } : withoutBytes(reply);
  await assert.rejects(probe(), { name: 'Error', message: /crumbs/ });
  assert.equal(asked.length, 2);
});

test('one that takes long for the rest of a history that it has begun to give fails', async () => {
  const piece = { size: 400_000, offset: 0, bytes: new Uint8Array(100_000), proof: undefined };
  answer = (reply) => {
    if (opLast() === 'HISTORY') return withoutBytes(reply);
    now += 121_000;
    return { ...reply, body: encodeTransactionBody(piece) };
  };
  await assert.rejects(probe(), { name: 'Error', message: /slow/ });
  assert.equal(asked.length, 2);
});
