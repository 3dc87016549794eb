import assert from 'node:assert/strict';
import { createConnection, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, test } from 'vitest';
import { fromBase64 } from '../src/base/bytes.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import type { Consensus } from '../src/directory/consensus.ts';
import { keyConfigsOf } from '../src/directory/descriptor.ts';
import type { DirectoryView } from '../src/directory/directory-view.ts';
import type { Dial } from '../src/io/dial.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { sealCell } from '../src/relay/cell.ts';
import { type EpochKeys, openEpochKeys } from '../src/relay/epoch-keys.ts';
import { encodeForward, encodeHello } from '../src/relay/frame-payload.ts';
import { encodeFrame, FrameDecoder } from '../src/relay/frame.ts';
import type { GatewayHandler } from '../src/relay/gateway-handler.ts';
import { helloOf } from '../src/relay/hello.ts';
import { decodeReply, encodeRequest, type Reply } from '../src/relay/message.ts';
import type { RelayObservation } from '../src/relay/observation.ts';
import { connectRelay, type RelayLink } from '../src/relay/relay-link.ts';
import type { RelayLimits } from '../src/relay/relay-limits.ts';
import { type RelayServer, startRelayServer } from '../src/relay/relay-server.ts';
import { garbageCell, testConsensusOf, testNode, type TestNode } from './relay-fixtures.ts';

const NAMES = ['n0', 'n1', 'n2'] as const;
const HEADERS = new Uint8Array(2_500 * 80).map((_, index) => index >> 6);
const NOTE = new Uint8Array(1_000_000).map((_, index) => index);
const never = new AbortController().signal;

interface RunningNode {
  readonly node: TestNode;
  readonly server: RelayServer;
  readonly seen: RelayObservation[];
}

/** Lengths of the frames that crossed the sockets between relay and gateways, by type. */
const lengths = new Map<string, Set<number>>();
let scope: Scope;
let directoryPath: string;
let consensus: Consensus;
let nodes: RunningNode[];

beforeEach(async () => {
  scope = new Scope();
  lengths.clear();
  directoryPath = await mkdtemp(join(tmpdir(), 'sotto-relay-'));
  nodes = [];
});
afterEach(async () => {
  await scope[Symbol.asyncDispose]();
  await rm(directoryPath, { recursive: true });
});

const handler: GatewayHandler = async ({ op, args }, { signal }) => {
  if (op === 99) throw new Error('target failed');
  if (op === 98) await sleep(10_000, undefined, { signal });
  const long = op * 15;
  return {
    code: op === 5 ? 'TX_REJECTED' : 'OK',
    tipHeight: 100,
    tipHash: new Uint8Array(32).fill(1),
    body: [args, new Uint8Array(long)],
    cursor: new Uint8Array(36),
  };
};

const dial: Dial = async (address, options) => {
  const target = nodes.find(({ node }) => node.listed.onion.host === address.host);
  assert.ok(target);
  const socket = await loopbackDial({ host: '127.0.0.1', port: target.server.port }, options);
  return tapped(socket);
};

/** Remembers the length of every frame, both ways. */
function tapped(socket: Duplex): Duplex {
  const record = (decoder: FrameDecoder, chunk: Uint8Array): void => {
    for (const { type, payload } of decoder.push(chunk)) {
      lengths.set(type, (lengths.get(type) ?? new Set()).add(payload.length));
    }
  };
  const incoming = new FrameDecoder();
  const outgoing = new FrameDecoder();
  const emit = socket.emit.bind(socket);
  socket.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event === 'data') record(incoming, args[0] as Uint8Array);
    return emit(event as never, ...(args as []));
  };
  const write = socket.write.bind(socket);
  socket.write = ((chunk: Uint8Array) => {
    record(outgoing, chunk);
    return write(chunk);
  }) as Duplex['write'];
  return socket;
}

async function startNodes(
  options: { expectProxyHeader?: boolean; limits?: Partial<RelayLimits> } = {},
): Promise<void> {
  const { expectProxyHeader = false, limits } = options;
  const keys: EpochKeys[] = [];
  const listed: TestNode[] = [];
  for (const name of NAMES) {
    const directory = join(directoryPath, name);
    const held = scope.use(
      await openEpochKeys({ directory, epochMs: 86_400_000, clock: Date.now, log: silent }),
    );
    const [current, next] = held.published();
    assert.ok(current && next);
    keys.push(held);
    listed.push(testNode(name, { keyConfigs: keyConfigsOf({ keyConfigs: [current, next] }) }));
  }
  consensus = testConsensusOf(listed, { 'mix-ms': 5, 'tick-ms': 5 });
  const view: DirectoryView = {
    current: () => consensus,
    noteOf: (kind) => (kind === 0 ? NOTE : undefined),
  };
  for (const [index, node] of listed.entries()) {
    const epochKeys = keys[index];
    assert.ok(epochKeys);
    const seen: RelayObservation[] = [];
    const server = scope.use(
      await startRelayServer({
        listen: { host: '127.0.0.1', port: 0 },
        network: 'regtest',
        expectProxyHeader,
        identity: node.identity,
        directory: view,
        epochKeys,
        handler,
        headers: (start, count) => HEADERS.subarray(start * 80, (start + count) * 80),
        dial: async (address, dialOptions) => {
          const socket = await dial(address, dialOptions);
          if (expectProxyHeader) writeBeneath(socket, proxyLine(index));
          return socket;
        },
        clock: Date.now,
        log: silent,
        limits: {
          cellTimeoutMs: 5_000,
          operationMs: 300,
          reconnectMs: { first: 10, last: 50 },
          clientTiming: { helloMs: 500, idleMs: 60_000, stallMs: 60_000 },
          ...limits,
        },
        observe: (event) => seen.push(event),
      }),
    );
    nodes.push({ node, server, seen });
  }
}

function nodeAt(index: number): RunningNode {
  const node = nodes[index];
  assert.ok(node);
  return node;
}

const proxyLine = (circuit: number): string =>
  `PROXY TCP6 fc00:dead:beef:4dad::0:${circuit.toString(16)} ::1 40 80\r\n`;

async function warm(): Promise<void> {
  await waitUntil(() => nodes.every(({ server }) => server.warm.length === 2) || undefined, {
    what: 'warm links',
    timeoutMs: 5_000,
    intervalMs: 5,
    signal: never,
  });
}

async function connect(
  index: number,
  { line, onClients }: { line?: string; onClients?: (clients: number) => void } = {},
): Promise<RelayLink> {
  const port = nodeAt(index).server.port;
  const socket = tapped(
    await loopbackDial({ host: '127.0.0.1', port }, { signal: never, isolation: '' }),
  );
  if (line !== undefined) writeBeneath(socket, line);
  const consensusHash = consensus.hash;
  const said = { network: 'regtest', consensusHash, ...(onClients && { onClients }) } as const;
  return scope.use(await connectRelay({ stream: socket, clock: Date.now, signal: never, ...said }));
}

/** The tap reads frames only: tor's line is written beneath it. */
function writeBeneath(socket: Duplex, line: string): void {
  Socket.prototype.write.call(socket, line);
}

interface Asked {
  readonly status: string;
  readonly reply?: Reply;
}

async function ask(link: RelayLink, gateway: TestNode, op: number): Promise<Asked> {
  const { nodeId } = gateway.identity;
  const plaintext = encodeRequest({
    op,
    minute: Math.floor(Date.now() / 60_000),
    consensusHash: consensus.hash.subarray(0, 16),
    nonce: new Uint8Array(16),
    args: new Uint8Array(32).fill(op),
  });
  const sealed = sealCell({
    keyConfig: fromBase64(gateway.listed.keyConfigs.current),
    nodeId,
    plaintext,
  });
  const { status, body } = await link.forward({ nodeId, cell: sealed.cell, signal: never });
  if (status !== 'OK') return { status };
  const reply = decodeReply({
    bytes: sealed.openReply(body),
    nodeId,
    request: plaintext,
    verify: (message, signature) => gateway.listed.replyKey.verify(message, signature),
  });
  return { status, reply };
}

test('cells through real sockets: every request 2048 and every answer 4096 bytes, for all operations and errors', async () => {
  await startNodes();
  await warm();
  const link = await connect(0);
  const [, one, two] = nodes.map(({ node }) => node) as [TestNode, TestNode, TestNode];
  for (const gateway of [one, two]) {
    for (const op of [0, 1, 2, 3, 4, 5, 6, 7, 100, 250]) {
      const { reply } = await ask(link, gateway, op);
      assert.equal(reply?.code, op === 5 ? 'TX_REJECTED' : 'OK');
    }
    for (const op of [98, 99]) assert.equal((await ask(link, gateway, op)).reply?.code, 'BUSY');
  }
  const { nodeId } = one.identity;
  const bad = await link.forward({ nodeId, cell: garbageCell(one), signal: never });
  assert.match(bad.status, /KEY_UNKNOWN|OPEN_FAILED/);
  assert.equal((await ask(link, testNode('stranger'), 0)).status, 'NOT_LISTED');
  assert.equal((await ask(link, nodeAt(0).node, 0)).status, 'NOT_LISTED');

  assert.deepEqual([...(lengths.get('FORWARD') ?? [])], [16 + 4 + 16 + 2048]);
  assert.deepEqual([...(lengths.get('IN') ?? [])], [2048]);
  assert.deepEqual([...(lengths.get('BACK') ?? [])], [8 + 4096]);
  assert.deepEqual([...(lengths.get('OUT') ?? [])], [8 + 4096]);
});

test('the relay has cells and circuits in hand, the gateway questions, and neither has both', async () => {
  await startNodes({ expectProxyHeader: true });
  await warm();
  const link = await connect(0, { line: proxyLine(0xabc) });
  await ask(link, nodeAt(1).node, 3);
  const [relay, gateway, idle] = nodes.map(({ seen }) => seen);
  assert.deepEqual(idle, []);
  const passed = relay?.[0];
  assert.ok(relay?.length === 1 && passed?.role === 'relay');
  assert.equal(passed.circuit, String(0xabc));
  assert.equal(passed.nodeId, nodes[1]?.node.identity.nodeId);
  assert.equal(passed.cell.length, 2048);
  const opened = gateway?.[0];
  assert.ok(gateway?.length === 1 && opened?.role === 'gateway');
  assert.equal(opened.circuit, '0', 'the relay’s circuit');
  assert.equal(opened.op, 3);
});

test('notes and headers are served in bounded parts', async () => {
  await startNodes();
  const link = await connect(0);
  const zeros = new Uint8Array(32);
  assert.deepEqual(Buffer.compare(await link.directory(0, zeros, { signal: never }), NOTE), 0);
  assert.equal((await link.directory(1, zeros.fill(1), { signal: never })).length, 0);
  const first = await link.headers(0, 2016, { signal: never });
  assert.equal(Buffer.compare(first, HEADERS.subarray(0, 2016 * 80)), 0);
  assert.equal((await link.headers(2016, 2016, { signal: never })).length, 484 * 80);
  assert.equal((await link.headers(9_999, 1, { signal: never })).length, 0);
});

test('a circuit has its share of notes and headers, over all its links, and no more', async () => {
  const limits = { publicBytesPerCircuit: 1_200_000 };
  await startNodes({ expectProxyHeader: true, limits });
  const [first, second] = [
    await connect(0, { line: proxyLine(7) }),
    await connect(0, { line: proxyLine(7) }),
  ];
  const zeros = new Uint8Array(32);
  assert.equal((await first.directory(0, zeros, { signal: never })).length, NOTE.length);
  assert.equal((await second.headers(0, 2016, { signal: never })).length, 2016 * 80);
  await assert.rejects(second.headers(0, 2016, { signal: never }), { name: 'LinkError' });
  const other = await connect(0, { line: proxyLine(8) });
  assert.equal((await other.directory(0, zeros, { signal: never })).length, NOTE.length);
});

test('cells for a gateway that goes away fail at the timeout, and other gateways answer', async () => {
  await startNodes({ limits: { cellTimeoutMs: 300 } });
  await warm();
  const gone = nodeAt(1);
  const link = await connect(0);
  await gone.server[Symbol.asyncDispose]();
  const start = performance.now();
  assert.equal((await ask(link, gone.node, 0)).status, 'UNREACHABLE');
  assert.ok(performance.now() - start >= 295);
  assert.equal((await ask(link, nodeAt(2).node, 0)).reply?.code, 'OK');
});

test('a relay says how many clients it serves, rounded down, and counts no relay', async () => {
  await startNodes();
  await warm();
  const said: number[] = [];
  const links: RelayLink[] = [];
  for (let count = 0; count < 6; count++) {
    links.push(await connect(0, { onClients: (clients) => said.push(clients) }));
  }
  assert.deepEqual(said, [0, 1, 2, 2, 4, 4]);
  for (const link of links) await link[Symbol.asyncDispose]();
  await waitUntil(
    async () => {
      const link = await connect(0, { onClients: (clients) => said.push(clients) });
      await link[Symbol.asyncDispose]();
      return said.at(-1) === 0 || undefined;
    },
    { what: 'the clients to have left', timeoutMs: 5_000, intervalMs: 5, signal: never },
  );
});

test('a hostile client cannot bring the node down: floods, half frames, wrong types, no reading, no PROXY line', async () => {
  await startNodes({ expectProxyHeader: true });
  await warm();
  const { port } = nodeAt(0).server;
  const hello = encodeFrame({
    type: 'HELLO',
    id: 0,
    payload: encodeHello(helloOf({ network: 'regtest', capabilities: 0, consensus: undefined })),
  });
  const relayHello = encodeFrame({
    type: 'HELLO',
    id: 0,
    payload: encodeHello(helloOf({ network: 'regtest', capabilities: 1, consensus: undefined })),
  });
  const forward = encodeFrame({
    type: 'FORWARD',
    id: 1,
    payload: encodeForward({
      nodeId: testNode('stranger').identity.nodeId,
      release: 0,
      mailbox: new Uint8Array(16),
      cell: new Uint8Array(2048),
    }),
  });
  const getNote = encodeFrame({ type: 'DIRECTORY_GET', id: 1, payload: new Uint8Array(33) });
  const cell = encodeFrame({ type: 'IN', id: 1, payload: new Uint8Array(2048) });
  const line = Buffer.from(proxyLine(1));
  const attacks: Uint8Array[][] = [
    [Buffer.alloc(70_000, 'x')],
    [hello],
    [line, Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    [line, forward],
    [line, hello, hello],
    [line, hello, cell],
    [line, relayHello, forward],
    [line, hello, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2, 0, 0, 0, 1)],
    [
      line,
      hello,
      encodeFrame({ type: 'HEADERS', id: 1, payload: HEADERS.slice(0, 161_280) }).subarray(0, 10),
    ],
    [Buffer.from(proxyLine(2)), hello, ...Array.from({ length: 2_000 }, () => forward)],
    [Buffer.from(proxyLine(3)), hello, ...Array.from({ length: 100 }, () => getNote)],
  ];
  for (const attack of attacks) {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('error', () => undefined);
    socket.on('data', () => undefined);
    socket.write(Buffer.concat(attack));
    await new Promise((resolve) => socket.on('close', resolve));
  }
  // Half a frame, and one that never reads: they stay, and disturb nobody.
  for (const bytes of [
    [Buffer.from(proxyLine(4)), hello, forward.subarray(0, 100)],
    [Buffer.from(proxyLine(5)), hello, ...Array.from({ length: 15 }, () => getNote)],
  ]) {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('error', () => undefined);
    socket.pause();
    socket.write(Buffer.concat(bytes));
    scope.defer(() => void socket.destroy());
  }
  const link = await connect(0, { line: proxyLine(9) });
  assert.equal((await ask(link, nodeAt(1).node, 0)).reply?.code, 'OK');
});

test('one circuit has a bounded number of links', async () => {
  await startNodes({ expectProxyHeader: true });
  const links = await Promise.all(
    Array.from({ length: 16 }, () => connect(0, { line: proxyLine(77) })),
  );
  await assert.rejects(connect(0, { line: proxyLine(77) }));
  await links[0]?.[Symbol.asyncDispose]();
  await sleep(20);
  await connect(0, { line: proxyLine(77) });
});

test('whoever holds the places of clients and relays in silence keeps neither out', async () => {
  const limits = { clientLinks: 4, relayLinks: 4 };
  await startNodes({ expectProxyHeader: true, limits });
  await warm();
  const before = await connect(0, { line: proxyLine(900) });
  const ended: number[] = [];
  for (const capabilities of [0, 1]) {
    const payload = encodeHello(
      helloOf({ network: 'regtest', capabilities, consensus: undefined }),
    );
    const hello = encodeFrame({ type: 'HELLO', id: 0, payload });
    for (let count = 0; count < 16; count++) {
      const socket = createConnection({ host: '127.0.0.1', port: nodeAt(0).server.port });
      scope.defer(() => void socket.destroy());
      socket.on('error', () => undefined).on('close', () => ended.push(capabilities));
      socket.resume();
      socket.write(Buffer.concat([Buffer.from(proxyLine(1000 + capabilities)), hello]));
    }
  }
  await waitUntil(() => ended.length >= 2 * (16 - 4) || undefined, {
    what: 'the silent links to make room',
    timeoutMs: 5_000,
    intervalMs: 5,
    signal: never,
  });
  const after = await connect(0, { line: proxyLine(901) });
  for (const link of [before, after]) {
    assert.equal((await ask(link, nodeAt(1).node, 0)).reply?.code, 'OK');
  }
  for (const index of [1, 2]) {
    const { server, node } = nodeAt(index);
    assert.ok(server.warm.includes(nodeAt(0).node.identity.nodeId), node.identity.nodeId);
  }
});
