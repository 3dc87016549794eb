import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import {
  garbageCell,
  PATIENT,
  settle,
  streamPair,
  testCell,
  testConsensusOf,
  testDirectory,
  type TestDirectory,
  testNode,
  type TestPeer,
  testPeer,
} from '../../test/relay-fixtures.ts';
import { silent } from '../base/log.ts';
import { sealCell } from './cell.ts';
import { type Answer, decodeAnswer, decodeQuota } from './frame-payload.ts';
import { Gateway, type GatewayOptions } from './gateway.ts';
import { helloOf } from './hello.ts';
import { Link } from './link.ts';
import { decodeReply, outerErrorInput, type Reply } from './message.ts';
import { Circuits } from './circuits.ts';
import type { RelayObservation } from './observation.ts';
import { DEFAULT_RELAY_LIMITS } from './relay-limits.ts';
import type { RelayErrorCode } from './relay-error.ts';

const node = testNode('gateway');
const other = testNode('other');
const OK: Reply = { code: 'OK', tipHeight: 7, tipHash: new Uint8Array(32).fill(1), body: 'answer' };
const NOW = 1_800_000_000_000;

interface Subject {
  readonly peer: TestPeer;
  readonly gateway: Gateway;
  readonly circuits: Circuits;
  readonly directory: TestDirectory;
  readonly handled: { op: number; signal: AbortSignal }[];
  readonly seen: RelayObservation[];
  now: number;
  keysAsked: number;
}

async function subject(options: Partial<GatewayOptions> = {}): Promise<Subject> {
  const directory = testDirectory(testConsensusOf([node, other]));
  const state = { directory, handled: [], seen: [], now: NOW, keysAsked: 0 } as unknown as {
    -readonly [K in keyof Subject]: Subject[K];
  };
  const limits = options.limits ?? DEFAULT_RELAY_LIMITS;
  state.circuits = new Circuits(limits, () => state.now);
  state.gateway = new Gateway({
    identity: node.identity,
    epochKeys: {
      keyFor: (keyId) => {
        state.keysAsked += 1;
        return node.keyFor(keyId);
      },
    },
    directory,
    handler: ({ op }, { signal }) => {
      state.handled.push({ op, signal });
      return Promise.resolve(OK);
    },
    clock: () => state.now,
    log: silent,
    limits: DEFAULT_RELAY_LIMITS,
    observe: (event) => state.seen.push(event),
    ...options,
  });
  state.peer = connect(state);
  await state.peer.next('QUOTA');
  return state;
}

function connect(
  { gateway, circuits }: Pick<Subject, 'gateway' | 'circuits'>,
  name = 'circuit 1',
): TestPeer {
  const [near, far]: [Duplex, Duplex] = streamPair();
  const link: Link = new Link({
    stream: near,
    hello: helloOf({ network: 'regtest', capabilities: 0, consensus: undefined }),
    answers: true,
    clock: Date.now,
    timing: PATIENT,
    onFrame: (frame) => {
      gateway.take(peer, frame);
    },
  });
  const circuit = circuits.enter(name);
  assert.ok(circuit);
  const peer = { link, circuit };
  gateway.welcome(peer);
  return testPeer(far);
}

let nextId = 1;

/** Sends a cell and gives the answer with its id. */
async function ask({ peer }: Pick<Subject, 'peer'>, cell: Uint8Array): Promise<Answer> {
  const id = nextId++;
  peer.link.send({ type: 'IN', id, payload: cell });
  for (let count = 1; ; count++) {
    const outs = await peer.next('OUT', count);
    const out = outs.find((frame) => frame.id === id);
    if (out !== undefined) return decodeAnswer(out.payload);
  }
}

/** Opens an answer as the client would, and checks its signature. */
function open(answer: Answer, sealed: ReturnType<typeof testCell>): Reply {
  assert.equal(answer.status, 'OK');
  return decodeReply({
    bytes: sealed.openReply(answer.body),
    nodeId: node.identity.nodeId,
    request: sealed.plaintext,
    verify: (message, signature) => node.listed.replyKey.verify(message, signature),
  });
}

function assertOuter(answer: Answer, code: RelayErrorCode, cell: Uint8Array): void {
  assert.equal(answer.status, code);
  const input = outerErrorInput({
    nodeId: node.identity.nodeId,
    code: answer.status,
    cell,
  });
  assert.equal(node.listed.replyKey.verify(input, answer.body.subarray(0, 64)), true);
  assert.ok(answer.body.subarray(64).every((byte) => byte === 0));
}

test('the signer of a reply is told which consensus the client goes by, that of an error is not', async () => {
  const told: (Uint8Array | undefined)[] = [];
  const replyKey = {
    sign: (message: Uint8Array, consensusHash?: Uint8Array) => {
      told.push(consensusHash);
      return node.replyKey.sign(message);
    },
  };
  const gateway = await subject({ identity: { ...node.identity, replyKey } });
  const consensus = gateway.directory.current();
  const sealed = testCell(node, { now: NOW, consensus });
  await ask(gateway, sealed.cell);
  await ask(gateway, garbageCell(node));
  const said = told.map((hash) => hash && Uint8Array.from(hash));
  assert.deepEqual(said, [Uint8Array.from(consensus?.hash.subarray(0, 16) ?? []), undefined]);
});

test('a cell is opened, handled, and answered by a signed and sealed reply of 4096 bytes', async () => {
  const it = await subject();
  const sealed = testCell(node, { now: NOW, consensus: it.directory.consensus, op: 3 });
  const answer = await ask(it, sealed.cell);
  assert.equal(answer.body.length, 4096);
  assert.deepEqual({ ...open(answer, sealed), tipHash: undefined }, { ...OK, tipHash: undefined });
  assert.deepEqual(
    it.handled.map(({ op }) => op),
    [3],
  );
  assert.deepEqual(
    it.seen.map((event) => (event.role === 'gateway' ? [event.circuit, event.op] : event.role)),
    [['circuit 1', 3]],
  );
});

test('quota comes before anything else: a cell beyond it costs no look at its key', async () => {
  const it = await subject({
    limits: { ...DEFAULT_RELAY_LIMITS, gatewayQuota: { cellsPerSecond: 1, burst: 1 } },
  });
  assert.deepEqual(decodeQuota((await it.peer.next('QUOTA'))[0]?.payload ?? new Uint8Array()), {
    cellsPerSecond: 1,
    burst: 1,
    retry: 0,
  });
  const { consensus } = it.directory;
  await ask(it, testCell(node, { now: NOW, consensus }).cell);
  assert.equal(it.keysAsked, 1);
  const { cell } = testCell(node, { now: NOW, consensus });
  assertOuter(await ask(it, cell), 'OVERLOAD', cell);
  assert.equal(it.keysAsked, 1);
  const quotas = await it.peer.next('QUOTA', 2);
  assert.equal(decodeQuota(quotas[1]?.payload ?? new Uint8Array()).retry, 1);
  it.now += 1_000;
  assert.equal((await ask(it, cell)).status, 'OK', 'an overloaded cell is not remembered');
});

test('a relay that goes on after OVERLOAD is cut off', async () => {
  const it = await subject({
    limits: { ...DEFAULT_RELAY_LIMITS, gatewayQuota: { cellsPerSecond: 1, burst: 2 } },
  });
  for (let id = 0; id < 5; id++) {
    it.peer.link.send({ type: 'IN', id, payload: garbageCell(node) });
  }
  assert.equal((await it.peer.ended).code, 'closed');
  assert.equal(it.keysAsked, 2);
});

test('a relay that connects again has no new quota', async () => {
  const it = await subject({
    limits: { ...DEFAULT_RELAY_LIMITS, gatewayQuota: { cellsPerSecond: 1, burst: 1 } },
  });
  const { consensus } = it.directory;
  assert.equal((await ask(it, testCell(node, { now: NOW, consensus }).cell)).status, 'OK');
  const again = { peer: connect(it) };
  const { cell } = testCell(node, { now: NOW, consensus });
  assertOuter(await ask(again, cell), 'OVERLOAD', cell);
});

test('each relay has a quota of its own', async () => {
  const it = await subject({
    limits: { ...DEFAULT_RELAY_LIMITS, gatewayQuota: { cellsPerSecond: 1, burst: 1 } },
  });
  const second = { peer: connect(it, 'circuit 2') };
  const { consensus } = it.directory;
  assert.equal((await ask(it, testCell(node, { now: NOW, consensus }).cell)).status, 'OK');
  assert.equal((await ask(second, testCell(node, { now: NOW, consensus }).cell)).status, 'OK');
});

test('a suite or key id that is not ours is KEY_UNKNOWN, before the replay cache is asked', async () => {
  const it = await subject();
  const { cell } = testCell(node, { now: NOW, consensus: it.directory.consensus });
  assert.equal((await ask(it, cell)).status, 'OK');
  for (const at of [0, 1, 3, 5]) {
    // The enc of these was seen: an answer of REPLAY would show the wrong order.
    const changed = Uint8Array.from(cell);
    changed[at] = 200;
    assertOuter(await ask(it, changed), 'KEY_UNKNOWN', changed);
  }
});

test('a replay is refused before it is opened, also when it would not open', async () => {
  const it = await subject();
  const { cell } = testCell(node, { now: NOW, consensus: it.directory.consensus });
  assert.equal((await ask(it, cell)).status, 'OK');
  assertOuter(await ask(it, cell), 'REPLAY', cell);
  const broken = Uint8Array.from(cell);
  broken[2000] = (broken[2000] ?? 0) ^ 1;
  assertOuter(await ask(it, broken), 'REPLAY', broken);
  assert.equal(it.handled.length, 1);
});

test('two equal cells that arrive together are handled once', async () => {
  const it = await subject();
  const { cell } = testCell(node, { now: NOW, consensus: it.directory.consensus });
  for (const id of [900, 901]) it.peer.link.send({ type: 'IN', id, payload: cell });
  const outs = await it.peer.next('OUT', 2);
  assert.deepEqual(outs.map(({ payload }) => decodeAnswer(payload).status).sort(), [
    'OK',
    'REPLAY',
  ]);
  assert.equal(it.handled.length, 1);
});

test('what does not open is OPEN_FAILED and is not remembered: garbage cannot fill the cache', async () => {
  const it = await subject();
  const good = testCell(node, { now: NOW, consensus: it.directory.consensus }).cell;
  const broken = Uint8Array.from(good);
  broken[2000] = (broken[2000] ?? 0) ^ 1;
  for (const cell of [garbageCell(node), broken, broken]) {
    assertOuter(await ask(it, cell), 'OPEN_FAILED', cell);
  }
  assert.equal((await ask(it, good)).status, 'OK', 'its enc was not taken for a replay');
  const misdirected = sealCell({
    keyConfig: node.cellKey.keyConfig,
    nodeId: other.identity.nodeId,
    plaintext: new Uint8Array(1),
  }).cell;
  assertOuter(await ask(it, misdirected), 'OPEN_FAILED', misdirected);
});

test('what is not strict CBOR is a sealed BAD_REQUEST, and is not remembered', async () => {
  const it = await subject();
  for (const plaintext of [new Uint8Array(0), Uint8Array.of(0xa0), Uint8Array.of(0xbf, 0xff)]) {
    const { nodeId } = node.identity;
    const sealed = { ...sealCell({ ...node.cellKey, nodeId, plaintext }), plaintext };
    for (let time = 0; time < 2; time++) {
      const reply = open(await ask(it, sealed.cell), sealed);
      assert.deepEqual(reply, {
        code: 'BAD_REQUEST',
        tipHeight: 0,
        tipHash: reply.tipHash,
        body: null,
      });
      assert.ok(reply.tipHash.every((byte) => byte === 0));
    }
  }
  assert.equal(it.handled.length, 0);
});

test('a request of more than 10 minutes ago or ahead is TIME_SKEW, and is not remembered', async () => {
  const it = await subject();
  const { consensus } = it.directory;
  for (const [minutes, code] of [
    [-10, 'OK'],
    [10, 'OK'],
    [-11, 'TIME_SKEW'],
    [11, 'TIME_SKEW'],
  ] as const) {
    const sealed = testCell(node, { now: NOW + minutes * 60_000, consensus });
    assert.equal(open(await ask(it, sealed.cell), sealed).code, code, `${minutes} minutes`);
    const again = await ask(it, sealed.cell);
    assert.equal(again.status, code === 'OK' ? 'REPLAY' : 'OK');
  }
});

test('an unknown consensus is DIRECTORY_MISMATCH, after the cell was remembered', async () => {
  const it = await subject();
  const sealed = testCell(node, { now: NOW, consensus: testConsensusOf([node]) });
  assert.equal(open(await ask(it, sealed.cell), sealed).code, 'DIRECTORY_MISMATCH');
  assertOuter(await ask(it, sealed.cell), 'REPLAY', sealed.cell);
  assert.equal(it.handled.length, 0);

  // The time is checked first.
  const late = testCell(node, { now: NOW - 3_600_000, consensus: testConsensusOf([node]) });
  assert.equal(open(await ask(it, late.cell), late).code, 'TIME_SKEW');
});

test('the consensus before the current one is known still; without a current one none is', async () => {
  const it = await subject();
  const previous = it.directory.consensus;
  assert.ok(previous);
  it.directory.consensus = { ...testConsensusOf([node, other]), prev: previous.hash };
  const sealed = testCell(node, { now: NOW, consensus: previous });
  assert.equal(open(await ask(it, sealed.cell), sealed).code, 'OK');
  it.directory.consensus = testConsensusOf([node, other]);
  const older = testCell(node, { now: NOW, consensus: previous });
  assert.equal(open(await ask(it, older.cell), older).code, 'DIRECTORY_MISMATCH');
  it.directory.consensus = undefined;
  const none = testCell(node, { now: NOW, consensus: undefined });
  assert.equal(open(await ask(it, none.cell), none).code, 'DIRECTORY_MISMATCH');
});

test('an operation beyond its time, one that fails and one whose reply is too long are BUSY', async () => {
  const limits = { ...DEFAULT_RELAY_LIMITS, operationMs: 20 };
  let aborted = false;
  for (const handler of [
    (_: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<Reply>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(signal.reason as Error);
        });
      }),
    () => Promise.reject(new Error('target gone')),
    () => {
      throw new Error('at once');
    },
    () => Promise.resolve({ ...OK, body: new Uint8Array(4_050) }),
  ]) {
    const it = await subject({ limits, handler });
    const sealed = testCell(node, { now: NOW, consensus: it.directory.consensus });
    assert.equal(open(await ask(it, sealed.cell), sealed).code, 'BUSY');
  }
  assert.equal(aborted, true);
});

test('no more than 16 operations run at once, and those beyond the queue are BUSY', async () => {
  let running = 0;
  let most = 0;
  const it = await subject({
    limits: { ...DEFAULT_RELAY_LIMITS, waitingCalls: 4 },
    handler: async () => {
      most = Math.max(most, ++running);
      await sleep(10);
      running -= 1;
      return OK;
    },
  });
  const { consensus } = it.directory;
  const sealed = Array.from({ length: 30 }, () => testCell(node, { now: NOW, consensus }));
  const codes = await Promise.all(
    sealed.map(async (cell) => open(await ask(it, cell.cell), cell).code),
  );
  assert.equal(most, 16);
  assert.equal(codes.filter((code) => code === 'OK').length, 20);
  assert.equal(codes.filter((code) => code === 'BUSY').length, 10);
});

test('no answer leaves before the tick that follows, quick and slow ones, refusals and replies alike', async () => {
  const it = await subject({ clock: Date.now });
  const tickMs = 50;
  it.directory.consensus = testConsensusOf([node, other], { 'tick-ms': tickMs });
  const { consensus } = it.directory;
  for (let round = 0; round < 5; round++) {
    const sentMs = Date.now();
    const good = testCell(node, { now: sentMs, consensus }).cell;
    for (const cell of [good, garbageCell(node)]) {
      it.peer.link.send({ type: 'IN', id: nextId++, payload: cell });
    }
    await it.peer.next('OUT', round * 2 + 1);
    // Timers go by another clock than this one, which may be a millisecond behind.
    const arrivedMs = Date.now() + 1;
    // A busy machine may be late, never early.
    assert.ok(Math.floor(arrivedMs / tickMs) > Math.floor(sentMs / tickMs));
    await it.peer.next('OUT', (round + 1) * 2);
    await sleep(7);
  }
});

test('a gateway that stops sends nothing of what it held', async () => {
  const it = await subject();
  it.directory.consensus = testConsensusOf([node, other], { 'tick-ms': 20 });
  it.peer.link.send({ type: 'IN', id: 1, payload: garbageCell(node) });
  await settle();
  await it.gateway[Symbol.asyncDispose]();
  await sleep(40);
  assert.deepEqual(
    it.peer.frames.map(({ type }) => type),
    ['QUOTA'],
  );
});

test('every answer has the same size, whatever the cell and the reply', async () => {
  const it = await subject({
    handler: ({ op }) => Promise.resolve({ ...OK, body: new Uint8Array(op * 10) }),
  });
  const { consensus } = it.directory;
  const cells = [0, 1, 50, 200, 255].map((op) => testCell(node, { now: NOW, consensus, op }).cell);
  for (const cell of [...cells, garbageCell(node), ...cells]) await ask(it, cell);
  const sizes = new Set((await it.peer.next('OUT')).map(({ payload }) => payload.length));
  assert.deepEqual([...sizes], [4104]);
});
