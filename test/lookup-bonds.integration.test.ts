import { secp256k1 } from '@noble/curves/secp256k1.js';
import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, test } from 'vitest';
import { fromHex, utf8 } from '../src/base/bytes.ts';
import { certificateHash } from '../src/bond/bond-certificate.ts';
import { renderBondFile } from '../src/bond/bond-file.ts';
import { type BondClaim } from '../src/bond/verify-bond.ts';
import { type Consensus } from '../src/directory/consensus.ts';
import { type NodeFlag } from '../src/directory/consensus-node.ts';
import { type NodeId } from '../src/directory/node-id.ts';
import { lockOnChain } from './chain-bond.ts';
import { testSeed } from './test-directory.ts';
import { type LookupError } from '../src/lookup/fault.ts';
import { type LookupNetwork, startLookupNetwork, type TestLookup } from './lookup-network.ts';

const SATS = 1_000_000;
const YEAR = 365 * 86_400;
const FLAGS: readonly NodeFlag[] = ['Relay', 'Gateway', 'Running'];
const { signal } = new AbortController();
/** Of one input and one output; nobody comes to look at it. */
const PAYMENT = fromHex(
  '0200000001' + '11'.repeat(32) + '0000000000ffffffff01' + '00'.repeat(8) + '015100000000',
);

let net: LookupNetwork;
let claims: Map<NodeId, BondClaim>;

beforeAll(async () => {
  net = await startLookupNetwork({ nodes: 6, addresses: 8, busiest: 4 });
  claims = new Map(
    net.nodes.map(({ nodeId }) => {
      const locktime = Math.floor(Date.now() / 1000) + YEAR;
      return [nodeId, lockOnChain(net.chain, { nodeId, sats: SATS, locktime })] as const;
    }),
  );
});
afterAll(() => net[Symbol.asyncDispose]());

/** Every node shows the bonds of all. */
beforeEach(() => {
  net.repent();
  for (const [nodeId, claim] of claims) show(nodeId, utf8(renderBondFile(claim)));
});

/** What all nodes show for the bond of one. */
function show(nodeId: NodeId, file: Uint8Array): void {
  for (const node of net.nodes) node.bonds.set(nodeId, file);
}

/** A consensus in which all nodes have bonds, one of them of this weight. */
function bonded(heaviest?: NodeId, weight = 50 * SATS): Consensus {
  return net.agree(({ nodeId }) => ({
    weight: nodeId === heaviest ? weight : SATS,
    flags: new Set<NodeFlag>([...FLAGS, 'Bonded']),
  }));
}

function clientOf(consensus: Consensus): Promise<TestLookup> {
  const source = { current: () => consensus, refresh: () => Promise.resolve(consensus) };
  return net.lookup({ consensus: source });
}

async function lookUpAll({ lookup }: Pick<TestLookup, 'lookup'>): Promise<readonly NodeId[]> {
  const histories = await Promise.all(
    net.wallet.map(({ scriptHash }) => lookup.history(scriptHash, { signal })),
  );
  return histories.flatMap(({ source }) => (source.kind === 'gateway' ? [source.nodeId] : []));
}

function questions(): number {
  const frames = net.nodes.flatMap((node) => node.frames);
  return frames.filter(({ type }) => type === 'DIRECTORY_GET').length;
}

test('each bond is asked for once, however many addresses there are, and a lookup later asks nothing', async () => {
  const client = await clientOf(bonded());
  const before = questions();
  const gateways = new Set(await lookUpAll(client));
  const first = questions() - before;
  assert.ok(first > 0 && first <= gateways.size + 3, `${first} questions`);
  await lookUpAll(client);
  const fees = questions();
  await lookUpAll(client);
  assert.equal(questions(), fees);
  assert.equal(first, fees - before);
  assert.deepEqual(client.lookup.faults, []);
});

test('a relay is asked for no bond but its own and those of gateways that it carries cells to', async () => {
  const asked = new Map<NodeId, Set<string>>();
  const carried = new Map<NodeId, Set<string>>();
  for (const node of net.nodes) {
    node.misdeeds = {
      incoming: (frame, wire) => {
        const hex = Buffer.from(frame.payload).toString('hex');
        if (frame.type === 'DIRECTORY_GET') add(asked, node.nodeId, hex.slice(-32));
        if (frame.type === 'FORWARD') add(carried, node.nodeId, hex.slice(0, 32));
        wire.send(frame);
      },
    };
  }
  await lookUpAll(await clientOf(bonded()));
  assert.ok(asked.size > 0);
  for (const [relay, nodes] of asked) {
    const strange = [...nodes].filter(
      (nodeId) => nodeId !== relay && carried.get(relay)?.has(nodeId) !== true,
    );
    assert.deepEqual(strange, []);
  }
});

/** The heaviest node, which most wallets would choose, and what all nodes show for its bond. */
async function chooseWith(file: (claim: BondClaim) => Uint8Array): Promise<readonly LookupError[]> {
  const [liar] = net.nodes;
  const claim = liar && claims.get(liar.nodeId);
  assert.ok(claim);
  const { nodeId } = liar;
  show(nodeId, file(claim));
  let asked = 0;
  for (const node of net.nodes) {
    node.misdeeds = {
      incoming: (frame, wire) => {
        const hex = Buffer.from(frame.payload).toString('hex');
        if (frame.type === 'DIRECTORY_GET' && hex.endsWith(nodeId)) asked += 1;
        wire.send(frame);
      },
    };
  }
  const faults: LookupError[] = [];
  // Some wallets keep that gateway free of addresses, and then nobody asks for its bond.
  for (let wallets = 0; wallets < 20 && asked === 0; wallets += 1) {
    const client = await clientOf(bonded(nodeId, 50 * SATS));
    const gateways = await lookUpAll(client);
    assert.ok(!gateways.includes(nodeId));
    faults.push(...client.lookup.faults.filter(({ code }) => code === 'bond-unproved'));
  }
  assert.ok(asked > 0);
  return faults;
}

test.each([
  ['nobody shows yet', () => new Uint8Array(0)],
  ['is smaller than its weight', (claim: BondClaim) => fileOf(claim, {})],
])('a node whose bond %s is not chosen, and nobody is blamed', async (_what, file) => {
  assert.deepEqual(await chooseWith(file), []);
});

test.each([
  ['is not well-formed', () => utf8('sotto-bond/1\n'), 'it is malformed'],
  [
    'is said to be larger than it is',
    (claim: BondClaim) => fileOf(claim, { sats: 1000 * SATS }),
    'the output is not the one that the bond names',
  ],
  [
    'is certified for another node',
    (claim: BondClaim) => fileOf(claim, { signature: new Uint8Array(64).fill(1) }),
    'the key of the bond did not sign for the node',
  ],
  [
    'is locked no more',
    (claim: BondClaim) => fileOf(claim, { locktime: 1_000_000_000 }),
    'the coins of the bond are not locked long enough',
  ],
])('a node whose bond %s is not chosen, and who shows it is told', async (_what, file, why) => {
  const faults = await chooseWith(file);
  assert.ok(faults.length > 0);
  const nodeId = net.nodes[0]?.nodeId ?? '';
  for (const fault of faults) {
    assert.ok(fault.message.includes(nodeId) && fault.message.includes(why), fault.message);
    assert.ok(fault.message.includes('The consensus of epoch 1'));
    assert.equal(fault.culprit.role, 'relay');
  }
});

test('of two nodes with one bond the second is not chosen', async () => {
  const [one, other] = [...claims.values()];
  assert.ok(one && other);
  const secretKey = testSeed(`bond of ${one.nodeId}`);
  const hash = certificateHash({ nodeId: other.nodeId, expiry: one.bond.expiry });
  const signature = secp256k1.sign(hash, secretKey, { prehash: false });
  const twin = { ...one, nodeId: other.nodeId, bond: { ...one.bond, signature } };
  show(other.nodeId, utf8(renderBondFile(twin)));
  const consensus = net.agree(({ nodeId }) => ({
    weight: [one.nodeId, other.nodeId].includes(nodeId) ? SATS : 1,
    flags: new Set<NodeFlag>([...FLAGS, 'Bonded']),
  }));
  const client = await clientOf(consensus);
  const used = new Set(await lookUpAll(client));
  assert.ok(!(used.has(one.nodeId) && used.has(other.nodeId)));
  assert.deepEqual(client.lookup.faults, []);
});

test('a node without a bond weighs no more than its part of what is for those', async () => {
  const [liar] = net.nodes;
  assert.ok(liar);
  const consensus = net.agree(({ nodeId }) =>
    nodeId === liar.nodeId
      ? { weight: 10 ** 12, flags: new Set(FLAGS) }
      : { weight: SATS, flags: new Set<NodeFlag>([...FLAGS, 'Bonded']) },
  );
  const relaysOfWallet = async (): Promise<readonly NodeId[]> => {
    const client = await clientOf(consensus);
    await lookUpAll(client);
    return client.state.choices.relays.map(({ nodeId }) => nodeId);
  };
  const wallets: (readonly NodeId[])[] = [];
  // All at once they would ask more of one process than gateways may take their time for.
  while (wallets.length < 60) {
    wallets.push(...(await Promise.all(Array.from({ length: 5 }, relaysOfWallet))));
  }
  // By the weight that it is given it would be a relay of every wallet; by its part, of every third.
  const taken = wallets.filter((relays) => relays.includes(liar.nodeId)).length;
  assert.ok(taken <= 0.75 * wallets.length, `${taken} of ${wallets.length} wallets took it`);
});

test('an address stays at a gateway whose bond has ended since', async () => {
  const client = await clientOf(bonded());
  const [first] = await lookUpAll(client);
  assert.ok(first !== undefined);
  show(first, new Uint8Array(0));
  const consensus = bonded();
  const source = { current: () => consensus, refresh: () => Promise.resolve(consensus) };
  const again = await net.lookup({ consensus: source, state: client.state });
  const [still] = await lookUpAll(again);
  assert.equal(still, first);
});

test('fees are asked of gateways whose bonds are proved, and a wallet without enough relays says so', async () => {
  const asked = new Set<NodeId>();
  for (const node of net.nodes) {
    node.misdeeds = {
      reply: (reply) => {
        asked.add(node.nodeId);
        return reply;
      },
    };
  }
  const [first, ...others] = net.nodes.map(({ nodeId }) => nodeId);
  assert.ok(first);
  show(first, new Uint8Array(0));
  await (await clientOf(bonded())).lookup.fees({ signal });
  assert.ok(!asked.has(first));
  for (const nodeId of others.slice(0, 3)) show(nodeId, new Uint8Array(0));
  const { lookup } = await clientOf(bonded());
  await assert.rejects(lookUpAll({ lookup }), { code: 'too-few-relays' });
});

/** Relays with bonds, and gateways without. */
function bondedRelays(): Consensus {
  const relays = new Set(net.nodes.slice(0, 3).map(({ nodeId }) => nodeId));
  return net.agree(({ nodeId }) => ({
    weight: SATS,
    flags: new Set<NodeFlag>(
      relays.has(nodeId) ? ['Relay', 'Running', 'Bonded'] : ['Gateway', 'Running'],
    ),
  }));
}

test.each([
  ['everybody has a bond', bonded],
  ['relays have bonds', bondedRelays],
])(
  'where no headers come and %s, a lookup says so, and blames nobody for a bond',
  async (_what, consensus) => {
    for (const node of net.nodes) {
      node.misdeeds = {
        incoming: (frame, wire) => {
          if (frame.type === 'HEADERS_GET') {
            wire.back({ ...frame, type: 'HEADERS', payload: new Uint8Array(80) });
          } else wire.send(frame);
        },
      };
    }
    const client = await clientOf(consensus());
    const unavailable = { code: 'headers-unavailable' };
    await assert.rejects(lookUpAll(client), unavailable);
    await assert.rejects(client.lookup.fees({ signal }), unavailable);
    await assert.rejects(client.lookup.broadcast(PAYMENT, { signal }), unavailable);
    const codes = new Set(client.lookup.faults.map(({ code }) => code));
    assert.deepEqual(codes, new Set(['headers-refused']));
    net.repent();
    assert.equal((await lookUpAll(client)).length, net.wallet.length);
  },
);

function fileOf(claim: BondClaim, changes: Partial<BondClaim['bond']>): Uint8Array {
  return utf8(renderBondFile({ ...claim, bond: { ...claim.bond, ...changes } }));
}

function add(map: Map<NodeId, Set<string>>, nodeId: NodeId, value: string): void {
  map.set(nodeId, (map.get(nodeId) ?? new Set()).add(value));
}
