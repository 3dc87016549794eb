import { randomBytes } from 'node:crypto';
import { countedBonds } from '../src/directory/counted-bonds.ts';
import { nodeIdOf } from '../src/directory/node-id.ts';
import { weightParamsOf } from '../src/directory/weight-params.ts';
import { type WeighedNode, weightsOf } from '../src/directory/weights.ts';
import { rendezvousScore } from '../src/lookup/assignment.ts';
import { type Report } from './harness.ts';

const BITCOIN = 100_000_000;
const PARAMS = weightParamsOf(new Map());
/** Bitcoins locked by the honest: a few large bonds and many small ones, 100 together. */
const HONEST_BONDS = [9, 8, 7, 6, 5, 5, 4, 4, 4, 4, ...Array.from({ length: 44 }, () => 1)];
const HONEST_UNBONDED = 100;
const ADDRESSES = 500;

/** How an attacker puts what he locks into nodes and families. */
const STRATEGIES: readonly (readonly [name: string, nodes: (bitcoins: number) => WeighedNode[]])[] =
  [
    ['one node', (bitcoins) => attackers({ bitcoins, nodes: 1, families: 1 })],
    ['30 nodes of one family', (bitcoins) => attackers({ bitcoins, nodes: 30, families: 1 })],
    ['30 nodes, each a family', (bitcoins) => attackers({ bitcoins, nodes: 30, families: 30 })],
    [
      'so, and 200 nodes without a bond',
      (bitcoins) => [
        ...attackers({ bitcoins, nodes: 30, families: 30 }),
        ...attackers({ bitcoins: 0, nodes: 200, families: 200 }),
      ],
    ],
  ];
const LOCKED = [0.001, 5.3, 11, 25, 49];

/** What an attacker tries where nobody else has a bond, in nodes that are each a family. */
const FIRST: readonly (readonly [name: string, bitcoins: number, nodes: number])[] = [
  ['one bond of dust', 0.000_003_3, 1],
  ['three bonds of dust', 0.000_009_9, 3],
  ['10 bonds of the least that counts', 0.1, 10],
  ['10 bonds, a satoshi each below what opens', 0.999_999_9, 10],
  ['9 bonds of more than enough', 9, 9],
  ['10 bonds of just what opens', 1, 10],
  ['10 nodes without a bond', 0, 10],
  ['900 nodes without a bond', 0, 900],
];
/** What the honest have locked, in nine families, and what an attacker brings that is missing. */
const [NEARLY, MISSING] = [0.9, 0.1];

/**
 * Which part of the addresses of wallets an attacker gets to see: who locks so many bitcoins against
 * 100 of the honest, beside the bound `u + (1 - u) A / (A + H)` for u the part of the unbonded; and who
 * is the first to lock some, or the one by whom bonds begin to count.
 */
export function bench(): Promise<readonly Report[]> {
  const rows = LOCKED.flatMap((bitcoins) =>
    STRATEGIES.map(([as, nodes]) => ({
      'locked BTC': bitcoins,
      as,
      ...partOf(nodes(bitcoins), honest(HONEST_BONDS)),
      'bound %': percent(boundOf(bitcoins)),
    })),
  );
  const first = FIRST.map(([as, bitcoins, nodes]) => ({
    'locked BTC': bitcoins,
    as,
    ...partOf(attackers({ bitcoins, nodes, families: nodes }), honest([])),
  }));
  const last = ['one node', 'so, and 200 nodes without a bond'].map((as, index) => ({
    'locked BTC': MISSING,
    as,
    ...partOf(
      [
        ...attackers({ bitcoins: MISSING, nodes: 1, families: 1 }),
        ...attackers({ bitcoins: 0, nodes: 200 * index, families: 200 }),
      ],
      honest(Array.from({ length: 9 }, () => NEARLY / 9)),
    ),
  }));
  return Promise.resolve([
    { title: `The part of an attacker against ${total(HONEST_BONDS)} locked bitcoins`, rows },
    { title: `Against ${HONEST_UNBONDED} nodes of which none has a bond`, rows: first },
    { title: `Against nine bonds of ${NEARLY} bitcoins, who opens the network`, rows: last },
  ]);
}

function boundOf(bitcoins: number): number {
  const pool = PARAMS.unbondedPercent / 100;
  return pool + ((1 - pool) * bitcoins) / (bitcoins + total(HONEST_BONDS));
}

function partOf(
  attacking: readonly WeighedNode[],
  others: readonly WeighedNode[],
): Report['rows'][number] {
  const weights = weightsOf(countedBonds([...others, ...attacking], PARAMS), PARAMS);
  const own = new Set(attacking.map(({ nodeId }) => nodeId));
  const held = total(attacking.map(({ nodeId }) => weights.get(nodeId) ?? 0));
  return {
    'weight %': percent(held / total([...weights.values()])),
    'addresses %': percent(partOfAddresses(weights, own)),
  };
}

/** By the choice that a client makes for each of its addresses. */
function partOfAddresses(weights: ReadonlyMap<string, number>, own: ReadonlySet<string>): number {
  const secret = randomBytes(32);
  const nodes = [...weights].map(([nodeId, weight]) => ({ nodeId, weight }));
  let seen = 0;
  for (let address = 0; address < ADDRESSES; address += 1) {
    const subject = randomBytes(32);
    let [best, chosen] = [-1, ''];
    for (const node of nodes) {
      const score = rendezvousScore(secret, subject, node);
      if (score > best) [best, chosen] = [score, node.nodeId];
    }
    if (own.has(chosen)) seen += 1;
  }
  return seen / ADDRESSES;
}

function honest(bonds: readonly number[]): readonly WeighedNode[] {
  return [...bonds, ...Array.from({ length: HONEST_UNBONDED }, () => 0)].map((bitcoins) =>
    aNode(Math.round(bitcoins * BITCOIN)),
  );
}

function attackers({
  bitcoins,
  nodes,
  families,
}: {
  bitcoins: number;
  nodes: number;
  families: number;
}): WeighedNode[] {
  const all = Array.from({ length: nodes }, () => aNode(Math.round((bitcoins * BITCOIN) / nodes)));
  return all.map((one, index) => ({ ...one, family: all[index % families]?.nodeId ?? one.nodeId }));
}

function aNode(bond: number): WeighedNode {
  const nodeId = nodeIdOf(randomBytes(32));
  return { nodeId, family: nodeId, bond };
}

function percent(part: number): string {
  return (part * 100).toFixed(1);
}

function total(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
