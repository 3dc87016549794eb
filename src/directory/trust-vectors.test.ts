import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'vitest';
import { fromHex, toHex } from '../base/bytes.ts';
import { parseCheckpoint, renderCheckpoint } from './checkpoint.ts';
import { applyChange, renderChange } from './consensus-change.ts';
import { type Consensus, parseConsensus } from './consensus.ts';
import { cosign, openCosignature } from './cosignature.ts';
import { countedBonds } from './counted-bonds.ts';
import {
  type Head,
  isConsistent,
  isIncluded,
  leafHash,
  logRoot,
  MerkleTree,
} from './merkle-log.ts';
import { signNote, textOfNote } from './note.ts';
import { loadPublicKey } from './public-key.ts';
import { signingKeyFromSeed } from './signing-key.ts';
import { weightParamsOf } from './weight-params.ts';
import { type WeighedNode, type WeightParams, weightsOf } from './weights.ts';

const VECTORS = new URL('../../spec/vectors/', import.meta.url);

interface Weights extends WeightParams {
  readonly name: string;
  readonly nodes: readonly (WeighedNode & { readonly weight: number })[];
}

interface Network {
  readonly name: string;
  readonly params: Readonly<Record<string, number>>;
  readonly nodes: readonly (WeighedNode & { readonly bonded: boolean; readonly weight: number })[];
}

interface LogVector {
  readonly entries: readonly string[];
  readonly roots: readonly string[];
  readonly consistency: readonly { from: number; to: number; proof: readonly string[] }[];
  readonly inclusion: readonly { index: number; size: number; proof: readonly string[] }[];
  readonly checkpoint: string;
  readonly seed: string;
  readonly witness: string;
  readonly time: number;
  readonly note: string;
  readonly cosignature: string;
}

interface HexHead {
  readonly size: number;
  readonly root: string;
}

/** Of consistency with `from`, of inclusion with `leaf` and `index`. */
interface WrongProof {
  readonly from?: HexHead;
  readonly leaf?: string;
  readonly index?: number;
  readonly to: HexHead;
  readonly proof: readonly string[];
}

interface ChangeVector {
  readonly from: string;
  readonly change: string;
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, VECTORS), 'utf8'));
}

const invalid = (prefix: string): readonly string[] =>
  readdirSync(new URL('invalid', VECTORS)).filter((name) => name.startsWith(prefix));

const { cases, networks } = read('valid/weights.json') as {
  cases: readonly Weights[];
  networks: readonly Network[];
};

test.each(cases)('weights: $name', ({ nodes, ...params }) => {
  const weights = weightsOf(nodes, params);
  for (const { nodeId, weight } of nodes) assert.equal(weights.get(nodeId), weight);
});

test.each(networks)('bonds that count: $name', ({ nodes, ...network }) => {
  const params = weightParamsOf(new Map(Object.entries(network.params)));
  const counted = countedBonds(nodes, params);
  const weights = weightsOf(counted, params);
  for (const [index, { nodeId, bonded, weight }] of nodes.entries()) {
    assert.equal((counted[index]?.bond ?? 0) > 0, bonded);
    assert.equal(weights.get(nodeId), weight);
  }
});

const log = read('valid/log.json') as LogVector;
const leaves = log.entries.map((entry) => leafHash(fromHex(entry)));
const tree = new MerkleTree(leaves);
const headOf = (size: number): Head => ({ size, root: fromHex(log.roots[size] ?? '') });

test('the heads and proofs of a log of seven consensuses are these', () => {
  for (const [size, root] of log.roots.entries()) {
    assert.equal(toHex(logRoot(leaves.slice(0, size))), root);
  }
  for (const { from, to, proof } of log.consistency) {
    assert.deepEqual(tree.consistencyProof(from, to).map(toHex), proof);
    assert.ok(isConsistent(headOf(from), headOf(to), proof.map(fromHex)));
  }
  for (const { index, size, proof } of log.inclusion) {
    assert.deepEqual(tree.inclusionProof(index, size).map(toHex), proof);
    const leaf = { hash: leafHash(fromHex(log.entries[index] ?? '')), index };
    assert.ok(isIncluded(leaf, headOf(size), proof.map(fromHex)));
  }
});

test('its checkpoint is signed and cosigned like this', () => {
  const { checkpoint, witness, time, note, cosignature } = log;
  const key = signingKeyFromSeed(fromHex(log.seed));
  assert.equal(renderCheckpoint(parseCheckpoint(checkpoint)), checkpoint);
  assert.equal(signNote(checkpoint, { name: witness, key }), note);
  assert.equal(cosign(checkpoint, { name: witness, key }, time), cosignature);
  const verifier = { name: witness, key: loadPublicKey(key.publicKey) };
  assert.equal(openCosignature(cosignature, checkpoint, verifier), time);
});

test.each(invalid('cosignature-'))('%s is refused with its code', (name) => {
  const vector = read(`invalid/${name}`) as LogVector & { code: string };
  const { checkpoint, seed, witness, cosignature, code } = vector;
  const key = loadPublicKey(signingKeyFromSeed(fromHex(seed)).publicKey);
  assert.throws(() => openCosignature(cosignature, checkpoint, { name: witness, key }), {
    name: 'DirectoryError',
    code,
  });
});

test.each(invalid('log-'))('%s is no proof', (name) => {
  const { from, leaf, index = 0, to, proof } = read(`invalid/${name}`) as WrongProof;
  const [head, hashes] = [parsed(to), proof.map(fromHex)];
  if (from !== undefined) assert.ok(!isConsistent(parsed(from), head, hashes));
  else assert.ok(!isIncluded({ hash: fromHex(leaf ?? ''), index }, head, hashes));
});

test('a change from one consensus to the note of the next is written and read like this', () => {
  const vector = read('valid/change.json') as ChangeVector & { to: string };
  assert.equal(renderChange(consensusOf(vector.from), vector.to), vector.change);
  assert.equal(applyChange(consensusOf(vector.from), vector.change), vector.to);
});

test.each(invalid('change-'))('%s is refused with its code', (name) => {
  const { from, change, code } = read(`invalid/${name}`) as ChangeVector & { code: string };
  assert.throws(() => applyChange(consensusOf(from), change), { name: 'DirectoryError', code });
});

function consensusOf(note: string): Consensus {
  return parseConsensus(textOfNote(note));
}

function parsed({ size, root }: HexHead): Head {
  return { size, root: fromHex(root) };
}
