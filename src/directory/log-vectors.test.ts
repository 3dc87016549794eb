import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'vitest';
import { fromHex, utf8 } from '../base/bytes.ts';
import { silent } from '../base/log.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { checkCosigned } from './cosigned-log.ts';
import { parseEvidenceIndex } from './evidence-index.ts';
import { GatheredCosignatures } from './gathered-cosignatures.ts';
import { checkLogProof, type Logged } from './log-proof.ts';
import { parseVerifierKey } from './note.ts';
import { takeCosignature } from './take-cosignature.ts';

const VECTORS = new URL('../../spec/vectors/', import.meta.url);

interface HexLogged {
  readonly hash: string;
  readonly origin: string;
  readonly size: number;
  readonly root: string;
}

interface ProofVector {
  readonly earlier: HexLogged;
  readonly later: HexLogged;
  readonly proof: string;
}

interface CheckpointVector {
  readonly checkpoint: string;
  readonly authorities: readonly string[];
  readonly witnesses: readonly string[];
  readonly note: string;
}

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, VECTORS), 'utf8'));
const invalid = (prefix: string): readonly string[] =>
  readdirSync(new URL('invalid', VECTORS)).filter((name) => name.startsWith(prefix));
const loggedOf = ({ hash, origin, size, root }: HexLogged): Logged => ({
  hash: fromHex(hash),
  log: { origin, size, root: fromHex(root) },
});
const check = ({ earlier, later, proof }: ProofVector): void => {
  checkLogProof(loggedOf(earlier), loggedOf(later), fromHex(proof));
};
const gatheringOf = ({ checkpoint, authorities, witnesses }: CheckpointVector) =>
  new GatheredCosignatures({
    text: checkpoint,
    authorities: authorities.map(parseVerifierKey),
    witnesses: witnesses.map(parseVerifierKey),
  });

test('a log that has grown from the consensus held and its log is proved like this', () => {
  check(read('valid/logged.json') as ProofVector);
});

test.each(invalid('logged-'))('%s is refused with its code', (name) => {
  const vector = read(`invalid/${name}`) as ProofVector & { readonly code: string };
  assert.throws(
    () => {
      check(vector);
    },
    { name: 'DirectoryError', code: vector.code },
  );
});

test('a checkpoint with the signatures of authorities and cosignatures is written like this', () => {
  const vector = read('valid/checkpoint.json') as CheckpointVector & { readonly cosigned: number };
  const gathered = gatheringOf(vector);
  assert.equal(gatheringOf(vector).note, undefined);
  takeCosignature(gathered, vector.note);
  assert.equal(gathered.cosigners.length, vector.cosigned);
  const again = gatheringOf(vector);
  takeCosignature(again, gathered.note ?? '');
  assert.equal(again.note, gathered.note);
});

test.each(invalid('checkpoint-'))('%s is refused with its code', async (name) => {
  const vector = read(`invalid/${name}`) as CheckpointVector & { code: string; percent?: number };
  const refused = { name: 'DirectoryError', code: vector.code };
  if (vector.percent === undefined) {
    assert.throws(() => {
      takeCosignature(gatheringOf(vector), vector.note);
    }, refused);
    return;
  }
  const witnesses = vector.witnesses.map(parseVerifierKey);
  const asked = checkCosigned([{ log: parseCheckpoint(vector.checkpoint) }], {
    record: { percent: vector.percent, witnesses },
    source: { name: 'relay', fetch: () => Promise.resolve(utf8(vector.note)) },
    log: silent,
    signal: new AbortController().signal,
  });
  await assert.rejects(asked, refused);
});

test.each(invalid('index-of-evidence-'))('%s is refused with its code', (name) => {
  const { index, code } = read(`invalid/${name}`) as { index: string; code: string };
  assert.throws(() => parseEvidenceIndex(utf8(index)), { name: 'DirectoryError', code });
});
