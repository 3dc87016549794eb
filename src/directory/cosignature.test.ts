import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { testAuthorities, testPolicy, testSeed } from '../../test/test-directory.ts';
import { parseCheckpoint, renderCheckpoint } from './checkpoint.ts';
import { cosign, openCosignature } from './cosignature.ts';
import { DirectoryError } from './directory-error.ts';

const [signer, other] = testAuthorities(2);
const [witness, stranger] = testPolicy(testAuthorities(2)).authorities.map(
  ({ verifier }) => verifier,
);
assert.ok(signer && other && witness && stranger);

const head = { origin: 'sotto.example/log', size: 7, root: testSeed('root') };
const checkpoint = renderCheckpoint(head);

test('a checkpoint is the origin, the size and the root', () => {
  const root = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
  assert.equal(
    renderCheckpoint({ origin: 'sotto.example/log', size: 3, root: new Uint8Array(32) }),
    `sotto.example/log\n3\n${root}\n`,
  );
  assert.deepEqual(parseCheckpoint(checkpoint), head);
});

test('a checkpoint has one form', () => {
  const bad = [
    '',
    checkpoint.slice(0, -1),
    `${checkpoint}more\n`,
    checkpoint.replace('7', '07'),
    checkpoint.replace('sotto.example', 'sotto example'),
    checkpoint.replace('=\n', '\n'),
  ];
  for (const text of bad) assert.throws(() => parseCheckpoint(text), { code: 'malformed' });
});

test('any checkpoint comes back as it was', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z0-9./-]{1,60}$/),
      fc.nat(),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      (origin, size, root) => {
        const made = { origin, size, root };
        assert.deepEqual(parseCheckpoint(renderCheckpoint(made)), made);
      },
    ),
  );
});

test('a cosignature tells when the witness saw the checkpoint', () => {
  const line = cosign(checkpoint, signer, 1_796_083_200);
  assert.equal(openCosignature(line, checkpoint, witness), 1_796_083_200);
});

test('a cosignature of another checkpoint, by another witness, or damaged is refused', () => {
  const line = cosign(checkpoint, signer, 1_796_083_200);
  const later = renderCheckpoint({ ...head, size: 8 });
  assert.throws(() => openCosignature(line, later, witness), { code: 'bad-signature' });
  assert.throws(() => openCosignature(line, checkpoint, stranger), { code: 'unknown-signer' });
  const short = `${line.slice(0, -4)}AAA=`;
  for (const text of ['', short, line.slice(2)]) {
    assert.throws(
      () => openCosignature(text, checkpoint, witness),
      (error) => error instanceof DirectoryError,
    );
  }
});
