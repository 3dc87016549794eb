import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { fromBase64, fromHex, toBase64 } from '../src/base/bytes.ts';
import type { Cbor } from '../src/base/cbor.ts';
import { purseOf, signPayment } from '../src/devnet/purse.ts';
import { type Consensus, parseConsensus, renderConsensus } from '../src/directory/consensus.ts';
import { ProofError } from '../src/electrum/proof-error.ts';
import { LookupError } from '../src/lookup/fault.ts';
import type { VerifiedHistory } from '../src/lookup/lookup.ts';
import {
  decodeHistoryBody,
  encodeHistoryBody,
  type HistoryBody,
  type HistoryEntry,
} from '../src/query/history-body.ts';
import type { Frame } from '../src/relay/frame.ts';
import { decodeForward } from '../src/relay/frame-payload.ts';
import { encodeKeyConfig } from '../src/relay/key-config.ts';
import type { Reply } from '../src/relay/message.ts';
import { outerAnswer } from '../src/relay/outer-answer.ts';
import { generateKeyPair } from '../src/relay/x25519.ts';
import {
  type LookupNetwork,
  type Misdeeds,
  startLookupNetwork,
  type TestLookup,
  type Wire,
} from './lookup-network.ts';

let net: LookupNetwork;
const { signal } = new AbortController();

beforeAll(async () => {
  net = await startLookupNetwork({ nodes: 5, addresses: 16, busiest: 200 });
});

afterAll(() => net[Symbol.asyncDispose]());

afterEach(() => {
  net.repent();
});

const [BUSY, ONCE] = [0, 1];

function scriptHash(index: number): string {
  const address = net.wallet[index];
  assert.ok(address);
  return address.scriptHash;
}

interface Asked extends TestLookup {
  readonly gateway: string;
  readonly relay: string;
}

/** A wallet that has looked one address up, and who answered it. */
async function askedBefore(index = ONCE): Promise<Asked> {
  const one = await net.lookup();
  const { source } = await one.lookup.history(scriptHash(index), { signal });
  assert.ok(source.kind === 'gateway');
  return { ...one, gateway: source.nodeId, relay: source.relay };
}

async function failureOf(promise: Promise<unknown>): Promise<LookupError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof LookupError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'it did not fail' });
}

function flip(payload: Uint8Array, at: number): Uint8Array {
  return payload.map((byte, index) => (index === at ? byte ^ 1 : byte));
}

/** Changes only what a client sends to this relay, or gets from it. */
const asRelay = {
  incoming:
    (deal: (frame: Frame, wire: Wire) => void) =>
    (frame: Frame, wire: Wire): void => {
      if (frame.type === 'FORWARD') deal(frame, wire);
      else wire.send(frame);
    },
  outgoing:
    (deal: (frame: Frame, wire: Wire) => void) =>
    (frame: Frame, wire: Wire): void => {
      if (frame.type === 'BACK') deal(frame, wire);
      else wire.back(frame);
    },
};

const CELL_IN_FORWARD = 36;
const nothing = (): void => undefined;

function assertTrue(history: VerifiedHistory, index: number): void {
  const address = net.wallet[index];
  assert.ok(address);
  assert.equal(history.scriptHash, address.scriptHash);
  assert.deepEqual(new Set(history.entries.map(({ txid }) => txid)), new Set(address.txids));
}

test('a whole wallet is looked up at several gateways, verified', async () => {
  const { lookup } = await net.lookup();
  const histories = await Promise.all(
    net.wallet.map((address) => lookup.history(address.scriptHash, { signal })),
  );
  for (const [index, history] of histories.entries()) {
    assertTrue(history, index);
    const { use } = net.wallet[index] ?? {};
    assert.equal(
      history.entries.every(({ proved }) => proved),
      use !== 'mempool',
    );
    assert.equal(history.confirmed > 0n, use !== 'mempool' && use !== 'unused');
    assert.equal(history.unconfirmed > 0n, use === 'mempool');
  }
  const sources = histories.map(({ source }) => source.kind === 'gateway' && source.nodeId);
  assert.ok(new Set(sources).size >= 2);
  assert.deepEqual(lookup.faults, []);
});

test('a lookup tells how many addresses each node had to do with, and of how many clients it is one', async () => {
  const { lookup } = await net.lookup();
  const gateways = new Map<string, number>();
  const relays = new Map<string, number>();
  for (const { scriptHash } of net.wallet) {
    const { source } = await lookup.history(scriptHash, { signal });
    assert.ok(source.kind === 'gateway');
    gateways.set(source.nodeId, (gateways.get(source.nodeId) ?? 0) + 1);
    relays.set(source.relay, (relays.get(source.relay) ?? 0) + 1);
  }
  const { gateways: shown, relays: used } = lookup.exposure();
  assert.deepEqual(new Map(shown.map(({ name, addresses }) => [name, addresses])), gateways);
  const most = shown.map(({ addresses }) => addresses);
  assert.deepEqual(
    most,
    most.toSorted((a, b) => b - a),
  );
  assert.equal(used.length, 3);
  for (const { nodeId, addresses, clients } of used) {
    assert.equal(addresses, relays.get(nodeId) ?? 0);
    assert.ok(clients !== undefined && clients >= 0);
  }
});

test('a history of 200 transactions is paged and verified', async () => {
  const { lookup } = await net.lookup();
  const history = await lookup.history(scriptHash(BUSY), { signal });
  assert.equal(history.entries.length, 200);
  assertTrue(history, BUSY);
  const total = history.unspent.reduce((sum, { value }) => sum + value, 0n);
  assert.equal(history.confirmed, total);
});

test('an address stays at its gateway and relay in the next session', async () => {
  const { state, gateway, relay } = await askedBefore();
  const { lookup } = await net.lookup({ state });
  const { source } = await lookup.history(scriptHash(ONCE), { signal });
  assert.deepEqual(source, { kind: 'gateway', nodeId: gateway, relay });
  assert.notEqual(gateway, relay);
});

interface RelayCase {
  readonly what: string;
  readonly code: LookupError['code'] | undefined;
  readonly misdeeds: () => Misdeeds;
}

const sign = (code: 'UNREACHABLE' | 'KEY_UNKNOWN', nodeId: string) => {
  const identity = net.node(nodeId);
  return ({ payload }: Frame): Uint8Array =>
    outerAnswer(identity, { code, cell: decodeForward(payload).cell });
};

const relayCases: readonly RelayCase[] = [
  {
    what: 'flips a bit of a cell',
    code: 'forged-error',
    misdeeds: () => ({
      incoming: asRelay.incoming((frame, wire) => {
        wire.send({ ...frame, payload: flip(frame.payload, CELL_IN_FORWARD + 500) });
      }),
    }),
  },
  {
    what: 'changes the key id of a cell',
    code: 'forged-error',
    misdeeds: () => ({
      incoming: asRelay.incoming((frame, wire) => {
        wire.send({ ...frame, payload: flip(frame.payload, CELL_IN_FORWARD) });
      }),
    }),
  },
  {
    what: 'flips a bit of an answer',
    code: 'undecryptable',
    misdeeds: () => ({
      outgoing: asRelay.outgoing((frame, wire) => {
        wire.back({ ...frame, payload: flip(frame.payload, 1000) });
      }),
    }),
  },
  {
    what: 'drops cells',
    code: 'no-answer',
    misdeeds: () => ({ incoming: asRelay.incoming(nothing) }),
  },
  {
    what: 'drops answers',
    code: 'no-answer',
    misdeeds: () => ({ outgoing: asRelay.outgoing(nothing) }),
  },
  {
    what: 'sends a cell twice and brings the second answer',
    code: 'replay',
    misdeeds: () => {
      const waiting = new Map<number, Frame>();
      return {
        incoming: asRelay.incoming((frame, wire) => {
          waiting.set(frame.id, frame);
          wire.send(frame);
        }),
        outgoing: asRelay.outgoing((frame, wire) => {
          const first = waiting.get(frame.id);
          waiting.delete(frame.id);
          if (first === undefined) wire.back({ ...frame, id: frame.id - 1_000_000 });
          else wire.send({ ...first, id: first.id + 1_000_000 });
        }),
      };
    },
  },
  {
    what: 'answers what nobody asked',
    code: 'link-broken',
    misdeeds: () => ({
      outgoing: asRelay.outgoing((frame, wire) => {
        wire.back({ ...frame, id: frame.id + 7 });
      }),
    }),
  },
  {
    what: 'delays answers a little',
    code: undefined,
    misdeeds: () => ({
      outgoing: asRelay.outgoing((frame, wire) => {
        setTimeout(() => {
          wire.back(frame);
        }, 300);
      }),
    }),
  },
];

test.each(relayCases)(
  'a relay that $what is named, and another one brings the answer',
  async ({ code, misdeeds }) => {
    const { lookup, gateway, relay } = await askedBefore();
    net.node(relay).misdeeds = misdeeds();
    const history = await lookup.history(scriptHash(ONCE), { signal });
    assertTrue(history, ONCE);
    assert.ok(history.source.kind === 'gateway');
    assert.equal(history.source.nodeId, gateway);
    if (code === undefined) {
      assert.deepEqual(lookup.faults, []);
      return;
    }
    assert.deepEqual(
      lookup.faults.map((fault) => [fault.code, fault.culprit]),
      [[code, { role: 'relay', nodeId: relay }]],
    );
    assert.ok(lookup.faults[0]?.message.includes(relay));
    assert.notEqual(history.source.relay, relay);
  },
);

test('a relay that says it cannot reach a gateway is named when another one can', async () => {
  const { lookup, relay } = await askedBefore();
  const unreachable = sign('UNREACHABLE', relay);
  net.node(relay).misdeeds = {
    incoming: asRelay.incoming((frame, wire) => {
      wire.back({ type: 'BACK', id: frame.id, payload: unreachable(frame) });
    }),
  };
  await lookup.history(scriptHash(ONCE), { signal });
  assert.deepEqual(
    lookup.faults.map(({ code, culprit }) => [code, culprit.nodeId]),
    [['gateway-unreachable', relay]],
  );
});

test('a relay that makes up an error of the gateway is named', async () => {
  const { lookup, relay } = await askedBefore();
  const madeUp = sign('KEY_UNKNOWN', relay);
  net.node(relay).misdeeds = {
    incoming: asRelay.incoming((frame, wire) => {
      wire.back({ type: 'BACK', id: frame.id, payload: madeUp(frame) });
    }),
  };
  await lookup.history(scriptHash(ONCE), { signal });
  assert.deepEqual(
    lookup.faults.map(({ code, culprit }) => [code, culprit.nodeId]),
    [['forged-error', relay]],
  );
});

test('a relay that swaps two answers is named, and both come through another', async () => {
  const { lookup } = await net.lookup();
  const byRelay = new Map<string, number[]>();
  for (const index of net.wallet.keys()) {
    if (index === BUSY) continue;
    const { source } = await lookup.history(scriptHash(index), { signal });
    assert.ok(source.kind === 'gateway');
    byRelay.set(source.relay, [...(byRelay.get(source.relay) ?? []), index]);
  }
  const [relay, [first, second] = []] = [...byRelay].find(([, held]) => held.length >= 2) ?? [];
  assert.ok(relay !== undefined && first !== undefined && second !== undefined);
  let held: Frame | undefined;
  net.node(relay).misdeeds = {
    outgoing: asRelay.outgoing((frame, wire) => {
      if (held === undefined) {
        held = frame;
        return;
      }
      wire.back({ ...frame, payload: held.payload });
      wire.back({ ...held, payload: frame.payload });
      held = undefined;
    }),
  };
  const histories = await Promise.all(
    [first, second].map((index) => lookup.history(scriptHash(index), { signal })),
  );
  assert.equal(histories.length, 2);
  for (const [at, history] of histories.entries()) assertTrue(history, at === 0 ? first : second);
  const named = new Set(lookup.faults.map(({ code, culprit }) => `${code} ${culprit.nodeId}`));
  assert.deepEqual([...named], [`undecryptable ${relay}`]);
});

test('a relay that brings an old answer again is named', async () => {
  const { lookup, relay } = await askedBefore();
  let old: Frame | undefined;
  net.node(relay).misdeeds = {
    outgoing: asRelay.outgoing((frame, wire) => {
      old ??= frame;
      wire.back({ ...frame, payload: old.payload });
    }),
  };
  await lookup.history(scriptHash(ONCE), { signal });
  assert.equal(lookup.faults.length, 0);
  await lookup.history(scriptHash(ONCE), { signal });
  assert.deepEqual(
    lookup.faults.map(({ code, culprit }) => [code, culprit.nodeId]),
    [['undecryptable', relay]],
  );
});

test('a relay that cannot be reached is named, and passed over for a while', async () => {
  const { state, relay } = await askedBefore();
  net.node(relay).misdeeds = { unreachable: true };
  const { lookup } = await net.lookup({ state });
  await lookup.history(scriptHash(ONCE), { signal });
  await lookup.history(scriptHash(ONCE), { signal });
  const unreachable = lookup.faults.filter(({ code }) => code === 'relay-unreachable');
  assert.deepEqual(
    unreachable.map(({ culprit }) => culprit.nodeId),
    [relay],
  );
});

test('nobody is named when no relay can be reached', async () => {
  const { state } = await askedBefore();
  for (const node of net.nodes) node.misdeeds = { unreachable: true };
  const { lookup } = await net.lookup({ state });
  const error = await failureOf(lookup.history(scriptHash(ONCE), { signal }));
  assert.equal(error.code, 'relay-unreachable');
  assert.equal(error.culprit.role, 'unknown');
});

const rewrite =
  (change: (body: HistoryBody) => HistoryBody) =>
  (reply: Reply): Reply => ({
    ...reply,
    body: encodeHistoryBody(change(decodeHistoryBody(reply.body))),
  });

const inFirst =
  (change: (entry: HistoryEntry) => HistoryEntry) =>
  (body: HistoryBody): HistoryBody => ({
    ...body,
    entries: body.entries.map((entry, index) => (index === 0 ? change(entry) : entry)),
  });

interface GatewayCase {
  readonly what: string;
  readonly code: LookupError['code'];
  readonly proof?: string;
  readonly misdeeds: () => Misdeeds;
}

const gatewayCases: readonly GatewayCase[] = [
  {
    what: 'gives a wrong proof',
    code: 'false-answer',
    proof: 'bad-merkle-root',
    misdeeds: () => ({
      reply: rewrite(
        inFirst((entry) => ({
          ...entry,
          proof: entry.proof && {
            ...entry.proof,
            branch: entry.proof.branch.map(() => '00'.repeat(32)),
          },
        })),
      ),
    }),
  },
  {
    what: 'gives a wrong depth of the coinbase',
    code: 'false-answer',
    proof: 'coinbase-depth',
    misdeeds: () => ({
      reply: rewrite(
        inFirst((entry) => ({
          ...entry,
          proof: entry.proof && {
            ...entry.proof,
            coinbase: entry.proof.coinbase && { ...entry.proof.coinbase, txid: '00'.repeat(32) },
          },
        })),
      ),
    }),
  },
  {
    what: 'leaves out its signature',
    code: 'bad-signature',
    misdeeds: () => ({ sign: () => new Uint8Array(64) }),
  },
  {
    what: 'signs something else',
    code: 'bad-signature',
    misdeeds: () => {
      const { replyKey } = net.nodes[0] ?? {};
      assert.ok(replyKey);
      return { sign: () => replyKey.sign(new Uint8Array(3)) };
    },
  },
  {
    what: 'gives a wrong status',
    code: 'false-answer',
    proof: 'status-mismatch',
    misdeeds: () => ({ reply: rewrite((body) => ({ ...body, status: '12'.repeat(32) })) }),
  },
  {
    what: 'leaves out a transaction but not from the status',
    code: 'false-answer',
    proof: 'status-mismatch',
    misdeeds: () => ({
      reply: rewrite((body) => ({
        ...body,
        total: body.total - 1,
        entries: body.entries.slice(1),
      })),
    }),
  },
  {
    what: 'gives the raw bytes of another transaction',
    code: 'false-answer',
    proof: 'txid-mismatch',
    misdeeds: () => ({
      reply: rewrite(inFirst((entry) => ({ ...entry, raw: net.chain.tip.transactions[0]?.raw }))),
    }),
  },
  {
    what: 'answers with what is no history',
    code: 'malformed-reply',
    misdeeds: () => ({ reply: (reply) => ({ ...reply, body: [1, 2, 3] as Cbor }) }),
  },
  {
    what: 'is always busy',
    code: 'busy',
    misdeeds: () => ({ reply: (reply) => ({ ...reply, code: 'BUSY', body: null }) }),
  },
  {
    what: 'never answers',
    code: 'relay-timeout',
    misdeeds: () => ({ reply: () => new Promise<Reply>(() => undefined) }),
  },
  {
    what: 'sends garbage',
    code: 'undecryptable',
    misdeeds: () => ({
      outgoing: (frame, wire) => {
        if (frame.type !== 'OUT') wire.back(frame);
        else wire.back({ ...frame, payload: flip(frame.payload, 2000) });
      },
    }),
  },
];

// An address with several transactions, so that one can be left out.
const SEVERAL = 4;

test.each(gatewayCases)(
  'a gateway that $what is refused and named, and no other is asked',
  async ({ code, proof, misdeeds }) => {
    const { lookup, gateway } = await askedBefore(SEVERAL);
    net.node(gateway).misdeeds = misdeeds();
    const others = net.nodes.filter(({ nodeId }) => nodeId !== gateway);
    for (const node of others) node.scriptsAsked.length = 0;
    const error = await failureOf(lookup.history(scriptHash(SEVERAL), { signal }));
    assert.equal(error.code, code, error.message);
    assert.deepEqual(error.culprit, { role: 'gateway', nodeId: gateway });
    assert.ok(error.message.includes(gateway));
    if (proof !== undefined) {
      assert.ok(error.cause instanceof ProofError);
      assert.equal(error.cause.code, proof);
      assert.ok(error.evidence.length > 0);
    }
    assert.ok(others.every(({ scriptsAsked }) => !scriptsAsked.includes(scriptHash(SEVERAL))));
    net.repent();
    assertTrue(await lookup.history(scriptHash(SEVERAL), { signal }), SEVERAL);
  },
);

test.each([
  ['a block that nobody else has', 1],
  ['another block at the height of a known one', 0],
])('a gateway that goes by %s is refused and named, but not called a liar', async (_, above) => {
  const { lookup, gateway } = await askedBefore(SEVERAL);
  const node = net.node(gateway);
  let asked = 0;
  const other = (reply: Reply): Reply => ({
    ...reply,
    tipHeight: reply.tipHeight + above,
    tipHash: new Uint8Array(32).fill(9),
  });
  node.misdeeds = { reply: other };
  const error = await failureOf(lookup.history(scriptHash(SEVERAL), { signal }));
  assert.equal(error.code, 'unknown-tip');
  assert.deepEqual(error.culprit, { role: 'gateway', nodeId: gateway });
  assert.ok(error.message.includes(gateway));
  assert.ok(error.evidence.length > 0);
  node.misdeeds = { reply: (reply) => (++asked === 1 ? other(reply) : reply) };
  assertTrue(await lookup.history(scriptHash(SEVERAL), { signal }), SEVERAL);
  assert.equal(asked, 2, 'it came over to our branch meanwhile');
});

test('a gateway that answers about another address is refused', async () => {
  const { lookup, gateway } = await askedBefore();
  let other: Reply | undefined;
  const node = net.node(gateway);
  node.misdeeds = {
    reply: (reply) => {
      other ??= reply;
      return { ...other };
    },
  };
  const { state } = await net.lookup();
  await state.save({
    relays: [],
    gateways: new Map([[scriptHash(SEVERAL), { nodeId: gateway, since: Date.now() }]]),
  });
  const { lookup: stranger } = await net.lookup({ state });
  await stranger.history(scriptHash(SEVERAL), { signal });
  const error = await failureOf(lookup.history(scriptHash(ONCE), { signal }));
  assert.equal(error.code, 'false-answer');
  assert.ok(error.cause instanceof ProofError);
  assert.equal(error.cause.code, 'not-of-this-script');
});

test('addresses at honest gateways are answered while one gateway lies', async () => {
  const { lookup, gateway } = await askedBefore();
  net.node(gateway).misdeeds = { sign: () => new Uint8Array(64) };
  const asked = await Promise.allSettled(
    net.wallet.map((address) => lookup.history(address.scriptHash, { signal })),
  );
  const refused = asked.filter((one) => one.status === 'rejected');
  assert.ok(refused.length >= 1 && refused.length < asked.length);
  for (const { reason } of refused) {
    assert.ok(reason instanceof LookupError);
    assert.equal(reason.culprit.nodeId, gateway);
  }
});

function changedConsensus(change: (consensus: Consensus) => Partial<Consensus>): Consensus {
  return parseConsensus(renderConsensus({ ...net.consensus, ...change(net.consensus) }));
}

test.each<[string, (consensus: Consensus) => Partial<Consensus>]>([
  ['a consensus the gateways do not know', () => ({ epoch: 9 })],
  [
    'keys that have ended',
    ({ nodes }) => ({
      nodes: nodes.map((node) => {
        const keyConfig = (ahead: number): Uint8Array =>
          encodeKeyConfig({
            keyId: ((fromBase64(node.keyConfigs.current)[0] ?? 0) + 100 + ahead) % 256,
            publicKey: generateKeyPair().publicKey,
          });
        return {
          ...node,
          keyConfigs: { current: toBase64(keyConfig(0)), next: toBase64(keyConfig(1)) },
        };
      }),
    }),
  ],
])('with %s, the client fetches a newer one and asks again', async (_, change) => {
  const stale = changedConsensus(change);
  let current = stale;
  let refreshes = 0;
  const { lookup } = await net.lookup({
    consensus: {
      current: () => current,
      refresh: () => {
        refreshes += 1;
        current = net.consensus;
        return Promise.resolve(current);
      },
    },
  });
  assertTrue(await lookup.history(scriptHash(ONCE), { signal }), ONCE);
  assert.equal(refreshes, 1);
  assert.deepEqual(lookup.faults, []);
});

test('the consensus is fetched again only once', async () => {
  const stale = changedConsensus(() => ({ epoch: 9 }));
  let refreshes = 0;
  const { lookup } = await net.lookup({
    consensus: {
      current: () => stale,
      refresh: () => {
        refreshes += 1;
        return Promise.resolve(stale);
      },
    },
  });
  const error = await failureOf(lookup.history(scriptHash(ONCE), { signal }));
  assert.deepEqual(
    [error.code, error.culprit.role, refreshes],
    ['directory-mismatch', 'gateway', 1],
  );
});

test('how often to ask is a parameter of the consensus, and 4 hours when that has none', async () => {
  const { lookup } = await net.lookup();
  assert.equal(lookup.pollMeanMs, 4 * 3_600_000);
  const current = changedConsensus(() => ({ params: new Map([['poll-mean-s', 60]]) }));
  const source = { current: () => current, refresh: () => Promise.resolve(current) };
  const { lookup: other } = await net.lookup({ consensus: source });
  assert.equal(other.pollMeanMs, 60_000);
});

test('a new block and a payment in it are seen', async () => {
  const { lookup } = await askedBefore();
  const address = purseOf(new Uint8Array(32).fill(6), 'fresh');
  const txid = net.chain.pay(address.script, 77_000n);
  const waiting = await lookup.history(address.scriptHash, { signal });
  assert.equal(waiting.entries.at(-1)?.txid, txid);
  assert.equal(waiting.unconfirmed, 77_000n);
  net.chain.mine(1);
  await sleep(50);
  const mined = await lookup.history(address.scriptHash, { signal });
  assert.equal(mined.tip.height, net.chain.tip.height);
  assert.equal(mined.unconfirmed, 0n);
  assert.ok(mined.entries.every(({ proved }) => proved));
});

test('a transaction of 20 kB arrives through a gateway that holds no address, and is seen at another such', async () => {
  const { lookup, gateway } = await askedBefore();
  const purse = purseOf(new Uint8Array(32).fill(5), 'spender');
  const txid = net.chain.pay(purse.script, 2_000_000n);
  const vout = net.chain.ledger
    .entry(txid)
    ?.transaction.outputs.findIndex((output) => output.scriptHash === purse.scriptHash);
  assert.ok(vout !== undefined);
  const outputs = Array.from({ length: 650 }, () => ({ script: purse.script, amount: 600n }));
  const { raw } = signPayment(purse, { coins: [{ txid, vout, value: 2_000_000n }], outputs });
  assert.ok(raw.length > 20_000);
  const before = net.nodes.map(({ frames }) => frames.length);
  const sent = await lookup.broadcast(raw, { signal });
  assert.ok(net.chain.ledger.mempool.has(sent));
  const asked = net.nodes.map(
    ({ frames }, index) => frames.slice(before[index]).filter(({ type }) => type === 'IN').length,
  );
  assert.deepEqual(
    asked.filter((cells) => cells > 0).toSorted((a, b) => b - a),
    [12, 1],
  );
  assert.equal(asked[net.nodes.findIndex(({ nodeId }) => nodeId === gateway)], 0);
});

test('a transaction that the network refuses is refused with its words', async () => {
  const { lookup } = await askedBefore();
  const raw = net.chain.blocks[3]?.transactions[0]?.raw;
  assert.ok(raw);
  const error = await failureOf(lookup.broadcast(raw, { signal }));
  assert.equal(error.code, 'transaction-rejected');
});

test('however many addresses a wallet has, it can send a transaction', async () => {
  const { lookup } = await net.lookup();
  for (const { scriptHash } of net.wallet) await lookup.history(scriptHash, { signal });
  assert.ok(lookup.exposure().gateways.length <= net.nodes.length - 2);
  const raw = net.chain.blocks[3]?.transactions[0]?.raw;
  assert.ok(raw);
  const error = await failureOf(lookup.broadcast(raw, { signal }));
  assert.equal(error.code, 'transaction-rejected');
});

test('no transaction is shown to a gateway that holds an address', async () => {
  const { state } = await net.lookup();
  await state.save({
    relays: [],
    gateways: new Map(
      net.nodes.map(({ nodeId }, index) => [
        index.toString(16).padStart(64, '0'),
        { nodeId, since: Date.now() },
      ]),
    ),
  });
  const { lookup } = await net.lookup({ state });
  const error = await failureOf(lookup.broadcast(fromHex('00'), { signal }));
  assert.equal(error.code, 'no-gateway');
});

test('fee rates come from several gateways', async () => {
  const { lookup } = await net.lookup();
  const rates = await lookup.fees({ signal });
  assert.ok(rates.length > 0);
  assert.ok(rates.every(({ blocks, satPerKvb }) => blocks > 0 && satPerKvb >= 0));
});

test('an aborted lookup ends at once with the reason', async () => {
  const { lookup, gateway } = await askedBefore();
  net.node(gateway).misdeeds = { reply: () => new Promise<Reply>(() => undefined) };
  const stop = new AbortController();
  const asking = lookup.history(scriptHash(ONCE), { signal: stop.signal });
  await sleep(20);
  stop.abort(new Error('enough'));
  await assert.rejects(asking, /enough/);
});

test('streams of different relays and purposes never share an isolation word', () => {
  const words = [...net.isolations].filter((word) => word.includes('/'));
  const purposes = new Set(words.map((word) => word.split('/').at(-1)));
  assert.deepEqual(purposes, new Set(['lookup', 'headers', 'broadcast', 'fees']));
});

test('every cell and every answer had the same size on the wire', () => {
  const sizes = new Map<string, Set<number>>();
  for (const { type, bytes } of net.nodes.flatMap(({ frames }) => frames)) {
    sizes.set(type, (sizes.get(type) ?? new Set()).add(bytes));
  }
  const cells = ['FORWARD', 'BACK', 'IN', 'OUT'].map((type) => [...(sizes.get(type) ?? [])]);
  assert.deepEqual(cells, [[2094], [4114], [2058], [4114]]);
});
