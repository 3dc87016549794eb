import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { waitUntil } from '../src/io/wait-until.ts';
import { LookupError } from '../src/lookup/fault.ts';
import type { Lookup } from '../src/lookup/lookup.ts';
import { type LookupNetwork, startLookupNetwork, type TestNode } from './lookup-network.ts';

let net: LookupNetwork;
const { signal } = new AbortController();

beforeAll(async () => {
  net = await startLookupNetwork({ nodes: 5, addresses: 4 });
});

afterAll(() => net[Symbol.asyncDispose]());

interface Asked {
  readonly lookup: Lookup;
  readonly scriptHash: string;
  readonly gateway: string;
}

async function askedBefore(): Promise<Asked> {
  const { lookup } = await net.lookup();
  const scriptHash = net.wallet[0]?.scriptHash ?? '';
  const { source } = await lookup.history(scriptHash, { signal });
  assert.ok(source.kind === 'gateway');
  return { lookup, scriptHash, gateway: source.nodeId };
}

function kill(nodes: readonly TestNode[]): void {
  for (const node of nodes) {
    node.misdeeds = { unreachable: true };
    node.sever();
  }
}

/** Asks until it is answered, as whoever holds a lookup open for weeks does. */
async function answeredAgain({ lookup, scriptHash }: Asked): Promise<void> {
  await waitUntil(() => lookup.history(scriptHash, { signal }).catch(() => undefined), {
    what: 'an answer',
    timeoutMs: 30_000,
    intervalMs: 100,
    signal,
  });
}

async function followsTheChain({ lookup }: Asked): Promise<void> {
  net.chain.mine(1);
  const { hash } = net.chain.tip;
  await waitUntil(() => lookup.headers.tip.hash === hash || undefined, {
    what: 'the new block',
    timeoutMs: 30_000,
    intervalMs: 20,
    signal,
  });
}

test('a lookup goes on while one of its relays is gone, and follows new blocks', async () => {
  const asked = await askedBefore();
  const [first] = asked.lookup.exposure().relays.filter(({ addresses }) => addresses > 0);
  assert.ok(first);
  kill([net.node(first.nodeId)]);
  const { source } = await asked.lookup.history(asked.scriptHash, { signal });
  assert.ok(source.kind === 'gateway');
  assert.deepEqual([source.nodeId, source.relay === first.nodeId], [asked.gateway, false]);
  await followsTheChain(asked);
  net.repent();
});

test('a lookup that lost every relay is well again when they are back', async () => {
  const asked = await askedBefore();
  kill(asked.lookup.exposure().relays.map(({ nodeId }) => net.node(nodeId)));
  await assert.rejects(
    asked.lookup.history(asked.scriptHash, { signal }),
    (error) => error instanceof LookupError && error.code === 'relay-unreachable',
  );
  net.repent();
  await answeredAgain(asked);
  await followsTheChain(asked);
});

test('an address waits for its gateway, and is asked about there again when that is back', async () => {
  const asked = await askedBefore();
  const gateway = net.node(asked.gateway);
  const before = net.nodes.map(({ scriptsAsked }) => scriptsAsked.length);
  kill([gateway]);
  await assert.rejects(
    asked.lookup.history(asked.scriptHash, { signal }),
    (error) => error instanceof LookupError && error.culprit.nodeId === asked.gateway,
  );
  net.repent();
  await answeredAgain(asked);
  for (const [index, node] of net.nodes.entries()) {
    assert.equal(node.scriptsAsked.length > (before[index] ?? 0), node === gateway);
  }
});

test('what goes wrong again and again is told once', async () => {
  const asked = await askedBefore();
  const [gone] = asked.lookup.exposure().relays;
  assert.ok(gone);
  kill([net.node(gone.nodeId)]);
  for (let block = 0; block < 3; block++) await followsTheChain(asked);
  net.repent();
  const told = asked.lookup.faults.map(({ message }) => message);
  assert.ok(told.some((message) => message.includes(gone.nodeId)));
  assert.equal(new Set(told).size, told.length);
});
