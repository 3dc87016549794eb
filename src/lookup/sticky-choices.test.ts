import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Consensus } from '../directory/consensus.ts';
import type { ConsensusNode, NodeFlag } from '../directory/consensus-node.ts';
import { UNLISTED_MS } from './assignment.ts';
import type { Choices, ClientState } from './client-state.ts';
import { LookupError } from './fault.ts';
import { StickyChoices } from './sticky-choices.ts';

const SCRIPT = 'ab'.repeat(32);
const ALL: readonly NodeFlag[] = ['Relay', 'Gateway', 'Running'];

function memoryState(): ClientState {
  let choices: Choices = { relays: [], gateways: new Map() };
  return {
    secret: new Uint8Array(32).fill(1),
    get choices() {
      return choices;
    },
    save: (next) => {
      choices = next;
      return Promise.resolve();
    },
  };
}

function consensusOf(flagsOf: (nodeId: string) => readonly NodeFlag[] | undefined): Consensus {
  const ids = Array.from({ length: 6 }, (_, index) => String(index).padStart(32, '0'));
  const nodes = ids.flatMap((nodeId) => {
    const flags = flagsOf(nodeId);
    if (flags === undefined) return [];
    return [
      { nodeId, weight: 1, family: nodeId, flags: new Set(flags) } as unknown as ConsensusNode,
    ];
  });
  const node = (id: string): ConsensusNode | undefined => nodes.find((one) => one.nodeId === id);
  return { nodes, node } as unknown as Consensus;
}

const whole = consensusOf(() => ALL);

function refusalOf(choices: StickyChoices, consensus: Consensus): LookupError {
  try {
    choices.waysFor(SCRIPT, consensus);
  } catch (error) {
    assert.ok(error instanceof LookupError);
    return error;
  }
  throw new Error('it was not refused');
}

test('an address stays with its gateway and is asked through relays of other families', () => {
  const choices = new StickyChoices(memoryState(), () => 0);
  const first = choices.waysFor(SCRIPT, whole);
  const second = choices.waysFor(SCRIPT, whole);
  assert.equal(first.gateway.nodeId, second.gateway.nodeId);
  assert.ok(first.relays.every(({ family }) => family !== first.gateway.family));
});

test('an address is shown to no other gateway while its own is away or is no gateway any more', () => {
  for (const flags of [undefined, ['Relay', 'Running'] as const]) {
    let now = 0;
    const choices = new StickyChoices(memoryState(), () => now);
    const bound = choices.waysFor(SCRIPT, whole).gateway.nodeId;
    const without = consensusOf((nodeId) => (nodeId === bound ? flags : ALL));
    const refusal = refusalOf(choices, without);
    assert.equal(refusal.code, 'gateway-not-listed');
    assert.deepEqual(refusal.culprit, { role: 'gateway', nodeId: bound });

    now = UNLISTED_MS + 1;
    assert.notEqual(choices.waysFor(SCRIPT, without).gateway.nodeId, bound);
  }
});
