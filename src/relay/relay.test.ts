import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, test } from 'vitest';
import {
  PATIENT,
  settle,
  streamPair,
  testConsensusOf,
  testDirectory,
  type TestDirectory,
  testNode,
  type TestNode,
  type TestPeer,
  testPeer,
  type TestPeerOptions,
} from '../../test/relay-fixtures.ts';
import { silent } from '../base/log.ts';
import { DialError, type DialOptions } from '../io/dial.ts';
import { Circuits } from './circuits.ts';
import {
  type Answer,
  decodeAnswer,
  encodeAnswer,
  encodeForward,
  encodeQuota,
} from './frame-payload.ts';
import { encodeFrame, type Frame } from './frame.ts';
import { helloOf } from './hello.ts';
import { Link } from './link.ts';
import { outerErrorInput } from './message.ts';
import type { OuterCode } from './relay-error.ts';
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from './relay-limits.ts';
import { Relay, type RelayClient } from './relay.ts';

const self = testNode('self');
const a = testNode('a');
const b = testNode('b');
const c = testNode('c');
const BODY = new Uint8Array(4096).fill(9);

const limitsOf = (limits: Partial<RelayLimits>): RelayLimits => ({
  ...DEFAULT_RELAY_LIMITS,
  reconnectMs: { first: 5, last: 20 },
  cellTimeoutMs: 150,
  ...limits,
});

interface SubjectOptions {
  readonly nodes?: readonly TestNode[];
  readonly params?: Readonly<Record<string, number>>;
  readonly limits?: Partial<RelayLimits>;
  /** How the gateway of this onion behaves; undefined: it cannot be reached. */
  readonly gateway?: (host: string) => TestPeerOptions | undefined;
}

interface Subject {
  readonly relay: Relay;
  readonly directory: TestDirectory;
  readonly dials: { host: string; options: DialOptions }[];
  readonly gateways: Map<string, TestPeer>;
  client(name?: string): { peer: TestPeer; state: RelayClient };
}

const relays: Relay[] = [];
afterEach(async () => {
  for (const relay of relays.splice(0)) await relay[Symbol.asyncDispose]();
});

/** Answers every cell at once. */
const answering: TestPeerOptions = {
  onFrame: ({ id }, link) => {
    link.send({ type: 'OUT', id, payload: encodeAnswer({ status: 'OK', body: BODY }) });
  },
};

async function subject(options: SubjectOptions = {}): Promise<Subject> {
  const { nodes = [self, a, b, c], params, gateway = () => answering } = options;
  const limits = limitsOf(options.limits ?? {});
  const directory = testDirectory(testConsensusOf(nodes, params));
  const dials: Subject['dials'] = [];
  const gateways = new Map<string, TestPeer>();
  const relay = new Relay({
    identity: self.identity,
    directory,
    hello: () => helloOf({ network: 'regtest', capabilities: 1, consensus: undefined }),
    clock: Date.now,
    log: silent,
    limits,
    dial: ({ host }, dialOptions) => {
      dials.push({ host, options: dialOptions });
      const behaviour = gateway(host);
      if (behaviour === undefined) return Promise.reject(new DialError('nobody there'));
      const [near, far] = streamPair();
      gateways.set(host, testPeer(far, behaviour));
      return Promise.resolve(near);
    },
  });
  relays.push(relay);
  await settle();
  const circuits = new Circuits(limits, Date.now);
  const client = (name = 'circuit'): { peer: TestPeer; state: RelayClient } => {
    const [near, far] = streamPair();
    const circuit = circuits.enter(name);
    assert.ok(circuit);
    const link: Link = new Link({
      stream: near,
      hello: helloOf({ network: 'regtest', capabilities: 0, consensus: undefined }),
      answers: true,
      clock: Date.now,
      timing: PATIENT,
      onFrame: (frame) => {
        relay.forward(state, frame);
      },
    });
    const state = { link, circuit, inFlight: 0 };
    return { peer: testPeer(far), state };
  };
  return { relay, directory, dials, gateways, client };
}

function forward(
  to: TestNode,
  id: number,
  changes: { release?: number; cell?: Uint8Array } = {},
): Frame {
  const payload = encodeForward({
    nodeId: to.identity.nodeId,
    release: 0,
    mailbox: new Uint8Array(16),
    cell: randomBytes(2048),
    ...changes,
  });
  return { type: 'FORWARD', id, payload };
}

const answerOf = (frame: Frame | undefined): Answer =>
  decodeAnswer(frame?.payload ?? new Uint8Array());

test('there is a warm link to every other gateway of the consensus before any cell', async () => {
  const { relay, dials } = await subject();
  assert.deepEqual(dials.map(({ host }) => host).sort(), ['a.onion', 'b.onion', 'c.onion']);
  assert.deepEqual([...relay.warm].sort(), [a, b, c].map(({ identity }) => identity.nodeId).sort());
  assert.equal(new Set(dials.map(({ options }) => options.isolation)).size, 3, 'own circuits');
});

test('links follow the consensus: to new gateways, to new addresses, and no longer to removed ones', async () => {
  const it = await subject({ nodes: [self, a, b] });
  const moved = testNode('b', { onion: { host: 'moved.onion', port: 50_010 } });
  const before = it.gateways.get('a.onion');
  it.directory.consensus = testConsensusOf([self, moved, c]);
  const { peer } = it.client();
  peer.link.send(forward(a, 1));
  assert.equal(answerOf((await peer.next('BACK'))[0]).status, 'NOT_LISTED');
  await settle();
  assert.deepEqual(
    it.dials
      .slice(2)
      .map(({ host }) => host)
      .sort(),
    ['c.onion', 'moved.onion'],
  );
  assert.equal((await before?.ended)?.code, 'closed');
  it.directory.consensus = undefined;
  peer.link.send(forward(c, 2));
  assert.equal(answerOf((await peer.next('BACK', 2))[1]).status, 'NOT_LISTED');
  await settle();
  assert.deepEqual(it.relay.warm, []);
});

test('a link that breaks or cannot be made is made again, ever more slowly', async () => {
  let reachable = false;
  const it = await subject({
    nodes: [self, a],
    gateway: () => (reachable ? answering : undefined),
  });
  await sleep(60);
  const tries = it.dials.length;
  assert.ok(tries >= 3 && tries <= 14, `${tries} tries`);
  reachable = true;
  await sleep(30);
  assert.equal(it.relay.warm.length, 1);
  it.gateways.get('a.onion')?.link.close('closed', 'gone');
  await settle();
  assert.equal(it.relay.warm.length, 0);
  await sleep(30);
  assert.equal(it.relay.warm.length, 1);
});

test('a cell reaches its gateway unchanged, once, and alone; its answer comes back unchanged', async () => {
  const it = await subject();
  const { peer } = it.client();
  const cell = randomBytes(2048);
  peer.link.send(forward(a, 77, { cell }));
  const [back] = await peer.next('BACK');
  assert.equal(back?.id, 77);
  assert.deepEqual(answerOf(back), { status: 'OK', body: BODY });
  const received = it.gateways.get('a.onion')?.frames ?? [];
  assert.deepEqual(
    received.map(({ type, payload }) => [type, Buffer.from(payload).equals(cell)]),
    [['IN', true]],
  );
  assert.notEqual(received[0]?.id, 77, 'a fresh id');
  assert.equal(it.gateways.get('b.onion')?.frames.length, 0);
});

test('a code that a gateway may say passes; a code of the relay’s own from a gateway ends the link', async () => {
  for (const status of ['REPLAY', 'QUOTA'] as const) {
    const it = await subject({
      nodes: [self, a],
      gateway: () => ({
        onFrame: ({ id }, link) => {
          const body = new Uint8Array(4096);
          link.send({ type: 'OUT', id, payload: encodeAnswer({ status, body }) });
        },
      }),
    });
    const { peer } = it.client();
    peer.link.send(forward(a, 1));
    const [back] = await peer.next('BACK');
    assert.equal(answerOf(back).status, status === 'REPLAY' ? 'REPLAY' : 'TIMEOUT');
  }
});

test('a node that is not listed, no gateway, this node or its family is refused, signed', async () => {
  const relayOnly = testNode('relay-only', { flags: new Set(['Relay', 'Running'] as const) });
  const sister = testNode('sister', { family: self.identity.nodeId });
  const it = await subject({ nodes: [self, a, relayOnly, sister] });
  const { peer } = it.client();
  const targets = [testNode('stranger'), relayOnly, self, sister];
  for (const [id, target] of targets.entries()) {
    const cell = randomBytes(2048);
    peer.link.send(forward(target, id, { cell }));
    const back = (await peer.next('BACK', id + 1))[id];
    const { status, body } = answerOf(back);
    assert.equal(status, 'NOT_LISTED');
    const input = outerErrorInput({ nodeId: self.identity.nodeId, code: status, cell });
    assert.equal(self.listed.replyKey.verify(input, body.subarray(0, 64)), true);
  }
  assert.deepEqual(
    it.dials.map(({ host }) => host),
    ['a.onion'],
  );
});

test('a cell for a later minute is refused: this relay keeps none', async () => {
  const it = await subject();
  const { peer } = it.client();
  peer.link.send(forward(a, 1, { release: 29_000_000 }));
  assert.equal(answerOf((await peer.next('BACK'))[0]).status, 'EXPIRED');
});

test('cells of many clients leave mixed: within the mix time, in an order that says nothing', async () => {
  const it = await subject({ nodes: [self, a], params: { 'mix-ms': 100 } });
  const clients = [it.client('1'), it.client('2')];
  const cells = Array.from({ length: 40 }, () => randomBytes(2048));
  const start = Date.now();
  for (const [index, cell] of cells.entries()) {
    clients[index % 2]?.peer.link.send(forward(a, index, { cell }));
  }
  await settle(5);
  await sleep(20);
  const early = it.gateways.get('a.onion')?.frames.length ?? 0;
  assert.ok(early < 35, 'held');
  await Promise.all(clients.map(({ peer }) => peer.next('BACK', 20)));
  assert.ok(Date.now() - start >= 50);
  const arrived = it.gateways.get('a.onion')?.frames ?? [];
  const order = arrived.map(({ payload }) => cells.findIndex((cell) => cell.equals(payload)));
  assert.notDeepEqual(
    order,
    order.toSorted((x, y) => x - y),
  );
  assert.equal(new Set(order).size, 40);
  const backs = clients.flatMap(({ peer }) => peer.frames.map(({ id }) => id));
  assert.deepEqual(
    backs.toSorted((x, y) => x - y),
    [...cells.keys()],
  );
});

test('without a mix time, cells that come together still leave in random order', async () => {
  const it = await subject({ nodes: [self, a] });
  const { peer } = it.client();
  const cells = Array.from({ length: 40 }, () => randomBytes(2048));
  for (const [id, cell] of cells.entries()) peer.link.send(forward(a, id, { cell }));
  await peer.next('BACK', 40);
  const arrived = it.gateways.get('a.onion')?.frames ?? [];
  const order = arrived.map(({ payload }) => cells.findIndex((cell) => cell.equals(payload)));
  assert.notDeepEqual(order, [...cells.keys()]);
});

test('failures are told only when the full time since arrival is over, signed, and never retried', async () => {
  const cases: [OuterCode, SubjectOptions['gateway']][] = [
    ['UNREACHABLE', () => undefined],
    ['TIMEOUT', () => ({})],
    [
      'TIMEOUT',
      () => ({
        onFrame: (_, link) => {
          link.close('closed', 'gone');
        },
      }),
    ],
  ];
  for (const [code, gateway] of cases) {
    const frames: Frame[] = [];
    const it = await subject({
      nodes: [self, a],
      params: { 'mix-ms': 20 },
      gateway: (host) => {
        const behaviour = gateway?.(host);
        if (behaviour === undefined) return undefined;
        return {
          onFrame: (frame, link) => {
            frames.push(frame);
            behaviour.onFrame?.(frame, link);
          },
        };
      },
    });
    const { peer, state } = it.client();
    const cell = randomBytes(2048);
    const start = performance.now();
    peer.link.send(forward(a, 5, { cell }));
    const [back] = await peer.next('BACK');
    const took = performance.now() - start;
    assert.ok(took >= 145 && took < 1_000, `${code} after ${took} ms`);
    const { status, body } = answerOf(back);
    assert.equal(status, code);
    const input = outerErrorInput({ nodeId: self.identity.nodeId, code, cell });
    assert.equal(self.listed.replyKey.verify(input, body.subarray(0, 64)), true);
    assert.equal(frames.length, code === 'TIMEOUT' ? 1 : 0);
    assert.equal(state.inFlight, 0);
  }
});

test('cells that are due while their gateway is away leave when it is back, each once', async () => {
  let reachable = false;
  const it = await subject({
    nodes: [self, a],
    gateway: () => (reachable ? answering : undefined),
    limits: { cellTimeoutMs: 5_000 },
  });
  const { peer, state } = it.client();
  const cells = [randomBytes(2048), randomBytes(2048)];
  for (const [id, cell] of cells.entries()) peer.link.send(forward(a, id, { cell }));
  await sleep(30);
  assert.equal(peer.frames.length, 0, 'not told yet');
  reachable = true;
  const backs = await peer.next('BACK', 2);
  assert.deepEqual(
    backs.map((back) => answerOf(back).status),
    ['OK', 'OK'],
  );
  it.gateways.get('a.onion')?.link.close('closed', 'gone');
  const before = it.gateways.get('a.onion')?.frames ?? [];
  assert.deepEqual(
    new Set(before.map(({ payload }) => cells.findIndex((c) => c.equals(payload)))),
    new Set([0, 1]),
  );
  assert.equal(before.length, 2);
  await sleep(60);
  assert.equal(it.relay.warm.length, 1, 'there is another link');
  assert.equal(it.gateways.get('a.onion')?.frames.length, 0, 'which carries none of them again');
  assert.equal(state.inFlight, 0);
});

test('a cell that was sent is not sent again over the next link', async () => {
  const received: Frame[] = [];
  const it = await subject({
    nodes: [self, a],
    gateway: () => ({
      onFrame: (frame, link) => {
        received.push(frame);
        link.close('closed', 'gone');
      },
    }),
  });
  const { peer } = it.client();
  peer.link.send(forward(a, 1));
  assert.equal(answerOf((await peer.next('BACK'))[0]).status, 'TIMEOUT');
  assert.ok(it.dials.length > 1, 'there was another link');
  assert.equal(received.length, 1);
});

test('no more cells wait for a gateway than may be in flight, and none beyond its timeout', async () => {
  let reachable = false;
  const it = await subject({
    nodes: [self, a],
    gateway: () => (reachable ? answering : undefined),
    limits: { cellsInFlightPerGateway: 3, reconnectMs: { first: 300, last: 300 } },
  });
  const { peer } = it.client();
  for (let id = 0; id < 5; id++) peer.link.send(forward(a, id));
  const backs = await peer.next('BACK', 5);
  assert.deepEqual(
    backs.map((back) => answerOf(back).status),
    ['QUOTA', 'QUOTA', 'UNREACHABLE', 'UNREACHABLE', 'UNREACHABLE'],
  );
  reachable = true;
  await sleep(350);
  assert.equal(it.relay.warm.length, 1);
  assert.equal(it.gateways.get('a.onion')?.frames.length, 0);
});

test('an answer that comes after the timeout is dropped; an answer to nothing ends the link', async () => {
  const late: Frame[] = [];
  const it = await subject({ nodes: [self, a], gateway: () => ({ onFrame: (f) => late.push(f) }) });
  const { peer } = it.client();
  peer.link.send(forward(a, 1));
  await peer.next('BACK');
  const gateway = it.gateways.get('a.onion');
  assert.ok(gateway);
  const out = { type: 'OUT', payload: encodeAnswer({ status: 'OK', body: BODY }) } as const;
  gateway.link.send({ ...out, id: late[0]?.id ?? 0 });
  await settle();
  assert.equal(gateway.link.ended, undefined);
  assert.equal(peer.frames.length, 1);
  gateway.link.send({ ...out, id: late[0]?.id ?? 0 });
  assert.equal((await gateway.ended).code, 'closed');
  assert.equal(peer.frames.length, 1);
});

test('a hostile gateway loses its link and nobody else’s cell', async () => {
  const attacks: ((link: Link, id: number) => void)[] = [
    (link, id) => {
      link.send({ type: 'OUT', id: (id + 1) >>> 0, payload: new Uint8Array(4104) });
    },
    (link, id) => {
      link.send({ type: 'IN', id, payload: new Uint8Array(2048) });
    },
    (link, id) => {
      link.send({ type: 'OUT', id, payload: new Uint8Array(4104).fill(255) });
    },
    (link, id) => {
      const frame = encodeFrame({ type: 'OUT', id, payload: new Uint8Array(4104) });
      frame[3] = 0;
      link.sendLong([frame].values());
    },
  ];
  for (const attack of attacks) {
    let connections = 0;
    const it = await subject({
      gateway: (host) => {
        if (host !== 'a.onion') return answering;
        connections += 1;
        return {
          onFrame: ({ id }, link) => {
            attack(link, id);
          },
        };
      },
    });
    const { peer } = it.client();
    peer.link.send(forward(a, 1));
    peer.link.send(forward(b, 2));
    const backs = await peer.next('BACK', 2);
    assert.deepEqual(
      backs.map((frame) => [frame.id, answerOf(frame).status]),
      [
        [2, 'OK'],
        [1, 'TIMEOUT'],
      ],
    );
    await sleep(30);
    assert.ok(connections >= 2, 'dialled again');
  }
});

test('a client has 64 cells in flight and 600 in 10 minutes, and is cut off when it goes on', async () => {
  const it = await subject({ gateway: () => ({}), limits: { cellsPerCircuit: 100 } });
  const { peer } = it.client();
  for (let id = 0; id < 70; id++) peer.link.send(forward(a, id));
  const refused = await peer.next('BACK', 6);
  assert.deepEqual(
    refused.map(({ id }) => id),
    [64, 65, 66, 67, 68, 69],
  );
  assert.ok(refused.every((frame) => answerOf(frame).status === 'QUOTA'));
  await peer.next('BACK', 70);
  const again = it.client();
  for (let id = 0; id < 40; id++) again.peer.link.send(forward(a, id));
  const over = await again.peer.next('BACK', 10);
  assert.deepEqual(
    over.map(({ id }) => id),
    [30, 31, 32, 33, 34, 35, 36, 37, 38, 39],
  );
  for (let id = 0; id < 200; id++) peer.link.send(forward(a, id));
  await peer.ended;
});

test('a gateway has 256 cells in flight at most, whoever sent them', async () => {
  const it = await subject({ gateway: () => ({}), limits: { cellsInFlightPerGateway: 10 } });
  const clients = [it.client('1'), it.client('2')];
  for (const { peer } of clients) for (let id = 0; id < 8; id++) peer.link.send(forward(a, id));
  await settle();
  const refused = clients.flatMap(({ peer }) => peer.frames.filter(({ type }) => type === 'BACK'));
  assert.equal(refused.length, 6);
  assert.equal(it.gateways.get('a.onion')?.frames.length, 10);
  clients[0]?.peer.link.send(forward(b, 100));
  await settle();
  assert.equal(it.gateways.get('b.onion')?.frames.length, 1, 'other gateways have room');
  await sleep(200);
  clients[0]?.peer.link.send(forward(a, 101));
  await settle();
  assert.equal(it.gateways.get('a.onion')?.frames.length, 11, 'room again after the timeout');
});

test('the quota that a gateway tells is kept, and so is its wish to rest', async () => {
  const it = await subject({ gateway: () => ({}) });
  const gateway = it.gateways.get('a.onion');
  gateway?.link.send({
    type: 'QUOTA',
    id: 0,
    payload: encodeQuota({ cellsPerSecond: 1, burst: 3, retry: 0 }),
  });
  await settle();
  const { peer } = it.client();
  for (let id = 0; id < 5; id++) peer.link.send(forward(a, id));
  const refused = await peer.next('BACK', 2);
  assert.deepEqual(
    refused.map(({ id }) => id),
    [3, 4],
  );
  await settle();
  assert.equal(gateway?.frames.length, 3);
  it.gateways.get('b.onion')?.link.send({
    type: 'QUOTA',
    id: 0,
    payload: encodeQuota({ cellsPerSecond: 100, burst: 100, retry: 60 }),
  });
  await settle();
  peer.link.send(forward(b, 9));
  assert.equal(answerOf((await peer.next('BACK', 3))[2]).status, 'QUOTA');
});
