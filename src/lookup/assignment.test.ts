import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'vitest';
import { fromHex, toHex, utf8 } from '../base/bytes.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import {
  type Binding,
  bindGateway,
  bindRelays,
  broadcastOrder,
  BOUND_MS,
  rendezvousScore,
  routesTo,
  sparedGateways,
  UNLISTED_MS,
  usableRelays,
} from './assignment.ts';
import { LookupError } from './fault.ts';

const NOW = 1_800_000_000_000;
const secret = new Uint8Array(32).fill(7);

interface NodeSketch {
  readonly weight?: number;
  readonly flags?: ConsensusNode['flags'];
  readonly family?: string;
}

function nodeId(index: number): string {
  return index.toString(16).padStart(32, '0');
}

function consensusOf(sketches: readonly (NodeSketch | undefined)[]): Consensus {
  const nodes = sketches.flatMap((sketch, index) =>
    sketch === undefined
      ? []
      : [
          {
            nodeId: nodeId(index),
            weight: 1,
            flags: new Set(['Relay', 'Gateway', 'Running']),
            family: nodeId(index),
            ...sketch,
          } as ConsensusNode,
        ],
  );
  const node = (id: string): ConsensusNode | undefined => nodes.find((one) => one.nodeId === id);
  return { nodes, node } as unknown as Consensus;
}

const plain = (count: number): NodeSketch[] => Array.from({ length: count }, () => ({}));
const script = (index: number): string => index.toString(16).padStart(64, '0');
const choose = (consensus: Consensus, index: number): string =>
  bindGateway({ secret, consensus, now: NOW }, script(index), undefined).nodeId;

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof LookupError) return error.code;
    throw error;
  }
  return 'none';
}

test('rendezvous scores are those of the vectors', () => {
  const path = new URL('../../spec/vectors/valid/rendezvous.json', import.meta.url);
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as {
    cases: { secret: string; nodeId: string; subject: string; weight: number; score: number }[];
  };
  for (const { score, ...at } of cases) {
    const ours = rendezvousScore(fromHex(at.secret), fromHex(at.subject), at);
    assert.ok(Math.abs(ours / score - 1) < 1e-12);
  }
  assert.equal(cases.length, 4);
});

test('gateways hold addresses in proportion to their weights', () => {
  const consensus = consensusOf([{ weight: 1 }, { weight: 2 }, { weight: 5 }]);
  const held = new Map<string, number>();
  for (let index = 0; index < 2000; index++) {
    const chosen = choose(consensus, index);
    held.set(chosen, (held.get(chosen) ?? 0) + 1);
  }
  const shares = [0, 1, 2].map((index) => (held.get(nodeId(index)) ?? 0) / 2000);
  for (const [index, expected] of [1 / 8, 2 / 8, 5 / 8].entries()) {
    assert.ok(Math.abs((shares[index] ?? 0) - expected) < 0.04, shares.join());
  }
});

test('a node that comes moves only the addresses that it wins', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(1000), (count, index) => {
      const before = choose(consensusOf(plain(count)), index);
      const after = choose(consensusOf(plain(count + 1)), index);
      assert.ok(after === before || after === nodeId(count));
    }),
  );
});

test('another secret binds the addresses elsewhere', () => {
  const consensus = consensusOf(plain(50));
  const other = new Uint8Array(32).fill(8);
  const same = Array.from({ length: 100 }, (_, index) => index).filter(
    (index) =>
      choose(consensus, index) ===
      bindGateway({ secret: other, consensus, now: NOW }, script(index), undefined).nodeId,
  );
  assert.ok(same.length < 15);
});

test('two gateways or more never get an address, unless there are too few', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), (count) => {
      const consensus = consensusOf(plain(count));
      const order = broadcastOrder({ secret, consensus });
      const held: Binding[] = [];
      for (let index = 0; index < 100; index++) {
        const spared = (): ReadonlySet<string> => sparedGateways(order, held);
        held.push(bindGateway({ secret, consensus, now: NOW, spared }, script(index), undefined));
      }
      const holders = new Set(held.map(({ nodeId: holder }) => holder)).size;
      assert.ok(holders >= 1 && (count < 3 || count - holders >= 2), `${holders} of ${count}`);
      if (count > 6) assert.equal(holders, count - 3);
    }),
  );
});

test('which gateways are spared changes only when one of them gets an address or goes', () => {
  const consensus = consensusOf(plain(8));
  const order = broadcastOrder({ secret, consensus });
  const before = sparedGateways(order, []);
  const [first = ''] = before;
  const others = consensus.nodes.filter(({ nodeId: id }) => !before.has(id));
  const held = others.map(({ nodeId: holder }) => ({ nodeId: holder, since: NOW }));
  assert.deepEqual(sparedGateways(order, held), before);
  const lost = sparedGateways(order, [...held, { nodeId: first, since: NOW }]);
  assert.deepEqual(lost, new Set([...before].filter((id) => id !== first)));
});

test('only running gateways with weight are chosen', () => {
  const none = consensusOf([
    { weight: 0 },
    { flags: new Set(['Gateway']) },
    { flags: new Set(['Relay', 'Running']) },
  ]);
  assert.equal(
    refusal(() => choose(none, 1)),
    'no-gateway',
  );
});

test('an address stays at its gateway although a better one comes, until 120 days are over', () => {
  const consensus = consensusOf([{ weight: 1 }, { weight: 1_000_000 }]);
  const held = { nodeId: nodeId(0), since: NOW };
  const at = (now: number): string =>
    bindGateway({ secret, consensus, now }, script(1), held).nodeId;
  assert.equal(at(NOW + BOUND_MS - 1), nodeId(0));
  assert.equal(at(NOW + BOUND_MS), nodeId(1));
});

test('an address leaves its gateway when that was not listed for 14 days, and not before', () => {
  const without = consensusOf([undefined, {}]);
  const held = { nodeId: nodeId(0), since: NOW };
  const missing = bindGateway({ secret, consensus: without, now: NOW }, script(1), held);
  assert.deepEqual(missing, { ...held, missingSince: NOW });
  const later = (now: number): string =>
    bindGateway({ secret, consensus: without, now }, script(1), missing).nodeId;
  assert.equal(later(NOW + UNLISTED_MS - 1), nodeId(0));
  assert.equal(later(NOW + UNLISTED_MS), nodeId(1));
  const back = { secret, consensus: consensusOf(plain(2)), now: NOW + 1 };
  assert.deepEqual(bindGateway(back, script(1), missing), held);
});

test('three relays of distinct families are chosen and kept', () => {
  const families = [0, 0, 1, 1, 2, 3].map((family) => ({ family: nodeId(family) }));
  const consensus = consensusOf(families);
  const chooser = { secret, consensus, now: NOW };
  const relays = bindRelays(chooser, []);
  assert.equal(new Set(usableRelays(consensus, relays).map(({ family }) => family)).size, 3);
  const grown = consensusOf([...families, { weight: 1_000_000 }]);
  assert.deepEqual(bindRelays({ ...chooser, consensus: grown }, relays), relays);
});

test('a relay that is not listed is stood in for and comes back', () => {
  const consensus = consensusOf(plain(5));
  const relays = bindRelays({ secret, consensus, now: NOW }, []);
  const gone = Number.parseInt(relays[0]?.nodeId ?? '', 16);
  const without = consensusOf(plain(5).map((node, index) => (index === gone ? undefined : node)));
  const extended = bindRelays({ secret, consensus: without, now: NOW + 1 }, relays);
  assert.equal(extended.length, 4);
  assert.equal(usableRelays(without, extended).length, 3);
  assert.deepEqual(
    usableRelays(consensus, extended).map((node) => node.nodeId),
    relays.map((binding) => binding.nodeId),
  );
});

test('fewer than three families of relays are refused', () => {
  const consensus = consensusOf([0, 0, 1, 1, 0].map((family) => ({ family: nodeId(family) })));
  assert.equal(
    refusal(() => bindRelays({ secret, consensus, now: NOW }, [])),
    'too-few-relays',
  );
});

test('a gateway is never asked through a relay of its family, and always by the same way', () => {
  const consensus = consensusOf([0, 1, 2, 1].map((family) => ({ family: nodeId(family) })));
  const [first, second, third, gateway] = consensus.nodes;
  assert.ok(first && second && third && gateway);
  const relays = [first, second, third];
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (subject) => {
      const routes = routesTo(gateway, { secret, subject, relays });
      assert.deepEqual(new Set(routes), new Set([first, third]));
      const again = routesTo(gateway, { secret, subject, relays: relays.toReversed() });
      assert.deepEqual(routes, again);
    }),
  );
  assert.equal(
    refusal(() => routesTo(gateway, { secret, subject: utf8(''), relays: [second] })),
    'no-route',
  );
});

test('addresses are spread over the relays', () => {
  const consensus = consensusOf(plain(4));
  const [gateway, ...relays] = consensus.nodes;
  assert.ok(gateway);
  const firsts = Array.from({ length: 300 }, (_, index) =>
    toHex(
      fromHex(
        routesTo(gateway, { secret, subject: fromHex(script(index)), relays })[0]?.nodeId ?? '',
      ),
    ),
  );
  for (const relay of relays) {
    assert.ok(firsts.filter((first) => first === relay.nodeId).length > 60);
  }
});
