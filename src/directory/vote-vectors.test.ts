import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'vitest';
import { fromHex, toHex, utf8 } from '../base/bytes.ts';
import { verifyConsensus } from './accept-consensus.ts';
import { buildConsensus } from './build-consensus.ts';
import { renderConsensus } from './consensus.ts';
import { countVotes } from './count-votes.ts';
import { parseDescriptor } from './descriptor.ts';
import { parseDetached, signDetached } from './detached-signature.ts';
import { DirectoryError } from './directory-error.ts';
import { GatheredSignatures } from './gathered-signatures.ts';
import { digestOfText, type NoteSigner, signNote } from './note.ts';
import { parsePolicy } from './policy.ts';
import { signingKeyFromSeed } from './signing-key.ts';
import { slotOf, type Timeline } from './timeline.ts';
import { VoteExchange } from './vote-exchange.ts';

const VECTORS = new URL('../../spec/vectors/', import.meta.url);

interface SlotVector {
  readonly policy: string;
  readonly timeline: Timeline;
  readonly epoch: number;
  readonly now: number;
}

interface CountedVotes extends SlotVector {
  readonly authoritySeeds: readonly string[];
  readonly votes: readonly string[];
  readonly descriptors: readonly string[];
  readonly consensus: string;
  readonly hash: string;
  readonly signatures: readonly string[];
}

interface RefusedVote extends SlotVector {
  readonly note: string;
  readonly held?: readonly string[];
  readonly code: string;
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, VECTORS), 'utf8'));
}

/** Of the first authority of the policy, which holds these votes. */
function exchangeOf(
  { policy: text, timeline, epoch, now }: SlotVector,
  { seed, votes }: { seed: Uint8Array; votes: readonly string[] },
): { exchange: VoteExchange; signer: NoteSigner } {
  const policy = parsePolicy(text);
  const signer = { name: 'sotto/authority-1', key: signingKeyFromSeed(seed) };
  const slot = slotOf(epoch, timeline, policy.authorities.length);
  const exchange = new VoteExchange({ policy, slot, signer });
  for (const note of votes) exchange.hold(exchange.accept(exchange.read(note), now));
  return { exchange, signer };
}

const counted = read('valid/votes-five-authorities.json') as CountedVotes;
const seed = fromHex(counted.authoritySeeds[0] ?? '');

test('who voted twice of five authorities has no vote', () => {
  const { exchange } = exchangeOf(counted, { seed, votes: counted.votes });
  assert.equal(exchange.counted().length, 4);
  assert.equal(exchange.equivocations().length, 1);
});

test.each([
  ['of five authorities, of whom one voted twice,', counted],
  ['of three of five, by which two alone add nothing,', read('valid/votes-three-of-five.json')],
])('the votes %s make the consensus', (_whose, vector) => {
  const counted = vector as CountedVotes;
  const { exchange } = exchangeOf(counted, { seed, votes: counted.votes });
  const tally = countVotes(exchange.counted(), 5);
  assert.ok(typeof tally !== 'string');
  const shelf = new Map(
    counted.descriptors.map(parseDescriptor).map((each) => [toHex(each.digest), each]),
  );
  const content = buildConsensus({
    tally,
    previous: undefined,
    descriptorOf: ({ nodeId, descriptorDigest }) => {
      const descriptor = shelf.get(toHex(descriptorDigest));
      if (descriptor === undefined) throw new Error(`no descriptor of ${nodeId}`);
      return descriptor;
    },
  });
  const text = renderConsensus(content);
  assert.equal(text, counted.consensus);
  assert.equal(toHex(digestOfText(text)), counted.hash);
});

test('the detached signatures of three of five complete it', () => {
  const { exchange, signer } = exchangeOf(counted, { seed, votes: [] });
  assert.equal(signDetached(counted.consensus, signer), counted.signatures[0]);
  const policy = parsePolicy(counted.policy);
  const gathered = new GatheredSignatures(policy, exchange.slot);
  for (const signature of counted.signatures) {
    gathered.add(parseDetached(utf8(signature)), signNote(counted.consensus));
  }
  assert.equal(verifyConsensus(gathered.quorum() ?? '', policy).text, counted.consensus);
});

const refused = readdirSync(new URL('invalid', VECTORS)).filter((name) => name.startsWith('vote-'));

test.each(refused)('%s is refused with its code', (name) => {
  const vector = read(`invalid/${name}`) as RefusedVote;
  const { note, now, held = [] } = vector;
  const { exchange } = exchangeOf(vector, { seed, votes: held });
  let code = 'none';
  try {
    exchange.accept(exchange.read(note), now);
  } catch (error) {
    assert.ok(error instanceof DirectoryError);
    code = error.code;
  }
  assert.equal(code, vector.code);
});
