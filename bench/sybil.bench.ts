import { randomBytes } from 'node:crypto';
import { nodeIdOf } from '../src/directory/node-id.ts';
import { type WeighedNode, weightsOf } from '../src/directory/weights.ts';
import { rendezvousScore } from '../src/lookup/assignment.ts';
import { type Report } from './harness.ts';

const BITCOIN = 100_000_000;
const PARAMS = { unbondedPercent: 10, familyCapPercent: 10 };
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

/**
 * Which part of the addresses of wallets an attacker gets to see, who locks so many bitcoins against
 * 100 of the honest, beside the bound `u + (1 - u) A / (A + H)` for u the part of the unbonded.
 */
export function bench(): Promise<readonly Report[]> {
  const rows = LOCKED.flatMap((bitcoins) =>
    STRATEGIES.map(([name, nodes]) => row({ bitcoins, name, attacking: nodes(bitcoins) })),
  );
  return Promise.resolve([
    { title: `The part of an attacker against ${total(HONEST_BONDS)} locked bitcoins`, rows },
  ]);
}

function row({
  bitcoins,
  name,
  attacking,
}: {
  bitcoins: number;
  name: string;
  attacking: readonly WeighedNode[];
}): Report['rows'][number] {
  const weights = weightsOf([...honest(), ...attacking], PARAMS);
  const own = new Set(attacking.map(({ nodeId }) => nodeId));
  const held = total(attacking.map(({ nodeId }) => weights.get(nodeId) ?? 0));
  const pool = PARAMS.unbondedPercent / 100;
  const bound = pool + ((1 - pool) * bitcoins) / (bitcoins + total(HONEST_BONDS));
  return {
    'locked BTC': bitcoins,
    as: name,
    'weight %': percent(held / total([...weights.values()])),
    'addresses %': percent(partOfAddresses(weights, own)),
    'bound %': percent(bound),
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

function honest(): readonly WeighedNode[] {
  return [...HONEST_BONDS, ...Array.from({ length: HONEST_UNBONDED }, () => 0)].map((bitcoins) =>
    aNode(bitcoins * BITCOIN),
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
  const all = Array.from({ length: nodes }, () => aNode(Math.floor((bitcoins * BITCOIN) / nodes)));
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
