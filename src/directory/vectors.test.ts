import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'vitest';
import { signedBy, testAuthorities, testConsensus, testSeed } from '../../test/test-directory.ts';
import { fromHex, toHex } from '../base/bytes.ts';
import { acceptConsensus } from './accept-consensus.ts';
import { parseConsensus } from './consensus.ts';
import { parseDescriptor } from './descriptor.ts';
import { DirectoryError } from './directory-error.ts';
import { parsePolicy } from './policy.ts';
import { signingKeyFromSeed } from './signing-key.ts';

const VECTORS = new URL('../../spec/vectors/', import.meta.url);

interface ConsensusVector {
  readonly policy: string;
  readonly note: string;
  readonly now: number;
}

interface SignedConsensus {
  readonly note: string;
  readonly hash: string;
  readonly now: number;
}

interface ValidConsensus extends ConsensusVector, SignedConsensus {
  readonly authoritySeeds: readonly string[];
  readonly epoch: number;
  readonly nodes: readonly string[];
  readonly next: SignedConsensus;
}

interface ValidDescriptor {
  readonly note: string;
  readonly digest: string;
  readonly nodeId: string;
  readonly onion: string;
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, VECTORS), 'utf8'));
}

const named = (directory: string, prefix: string): readonly string[] =>
  readdirSync(new URL(directory, VECTORS))
    .filter((name) => name.startsWith(prefix))
    .map((name) => `${directory}/${name}`);

test('the consensuses of five authorities are accepted one after the other', () => {
  const vector = read('valid/consensus-five-authorities.json') as ValidConsensus;
  const policy = parsePolicy(vector.policy);
  const first = acceptConsensus({ ...vector, policy });
  assert.equal(toHex(first.hash), vector.hash);
  assert.equal(first.epoch, vector.epoch);
  assert.deepEqual(
    first.nodes.map(({ nodeId }) => nodeId),
    vector.nodes,
  );
  const second = acceptConsensus({ ...vector.next, policy, previous: first });
  assert.equal(toHex(second.hash), vector.next.hash);
});

test('signing the same content with the same seeds gives the same note', () => {
  const vector = read('valid/consensus-five-authorities.json') as ValidConsensus;
  const signers = testAuthorities(5).slice(0, 3);
  assert.equal(signedBy(testConsensus(), signers), vector.note);
  vector.authoritySeeds.forEach((seed, index) => {
    assert.equal(seed, toHex(testSeed(`authority ${index + 1}`)));
    assert.equal(signingKeyFromSeed(fromHex(seed)).publicKey.length, 32);
  });
});

test.each(named('valid', 'descriptor-'))('%s is read', (path) => {
  const vector = read(path) as ValidDescriptor;
  const descriptor = parseDescriptor(vector.note);
  assert.equal(toHex(descriptor.digest), vector.digest);
  assert.equal(descriptor.nodeId, vector.nodeId);
  assert.equal(descriptor.onion.host, vector.onion);
});

test.each(named('valid', 'policy-'))('%s is read', (path) => {
  const vector = read(path) as { policy: string; onions: Readonly<Record<string, string>> };
  const { authorities } = parsePolicy(vector.policy);
  const onions = authorities.flatMap(({ name, onion }) =>
    onion === undefined ? [] : [[name, `${onion.host}:${onion.port}`]],
  );
  assert.deepEqual(Object.fromEntries(onions), vector.onions);
});

test.each(named('invalid', 'policy-'))('%s is refused with its line and code', (path) => {
  const vector = read(path) as { policy: string; line: number; code: string };
  assert.throws(
    () => parsePolicy(vector.policy),
    ({ message, cause }: Error) =>
      message.startsWith(`line ${vector.line} of the policy`) &&
      cause instanceof DirectoryError &&
      cause.code === vector.code,
  );
});

test.each(named('invalid', 'consensus-'))('%s is refused with its code', (path) => {
  const vector = read(path) as ConsensusVector & { code: string; previous?: string };
  const previous = vector.previous === undefined ? undefined : parseConsensus(vector.previous);
  const accept = () => acceptConsensus({ ...vector, policy: parsePolicy(vector.policy), previous });
  assert.equal(codeOf(accept), vector.code);
});

test.each(named('invalid', 'descriptor-'))('%s is refused with its code', (path) => {
  const { note, code } = read(path) as { note: string; code: string };
  assert.equal(
    codeOf(() => parseDescriptor(note)),
    code,
  );
});

/** Said of a moment, and of no document. */
const WITHOUT_VECTOR = ['busy', 'unavailable', 'unknown-kind'];

test('every code is in the table of the specification, and no other, and has a vector', () => {
  const source = readFileSync(new URL('directory-error.ts', import.meta.url), 'utf8');
  const codes = [...source.matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, code]) => code).sort();
  assert.ok(codes.length > 30);
  const spec = readFileSync(new URL('../directory.md', VECTORS), 'utf8');
  const [table = ''] = /^## 8 Codes\n[^]*?(?=^## )/m.exec(spec) ?? [];
  const rows = [...table.matchAll(/^\| ([a-z-]+(?:, [a-z-]+)*) \|/gm)].slice(1);
  const told = rows.flatMap(([, names = '']) => names.split(', ')).sort();
  assert.deepEqual(told, codes);
  const vectors = named('invalid', '').map((path) => read(path) as { code?: string });
  const shown = new Set([...vectors.map(({ code }) => code), ...WITHOUT_VECTOR]);
  assert.deepEqual(
    codes.filter((code) => !shown.has(code)),
    [],
  );
});

function codeOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    assert.ok(error instanceof DirectoryError);
    return error.code;
  }
  return 'none';
}
