import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { test } from 'vitest';
import { fromUtf8, utf8 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { onionKeyFromSeed } from '../../tor/onion-key.ts';
import { newMarker, renderMarker } from '../marker.ts';
import { packArchive, readArchive } from './archive.ts';
import { REQUIRED } from './backup-paths.ts';
import { packTar } from './tar.ts';

const CREATED = new Date('2026-11-22T10:00:00Z');

function serverFiles(): Map<string, Uint8Array> {
  const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
  return new Map([
    [REQUIRED.marker, utf8(renderMarker(newMarker()))],
    [REQUIRED.config, utf8('network: regtest\n')],
    [REQUIRED.walletSeed, seed(1)],
    [REQUIRED.p2pSeed, seed(2)],
    [REQUIRED.relaySeed, seed(3)],
    [REQUIRED.identitySeed, seed(4)],
    [REQUIRED.replySeed, seed(5)],
    ['secrets/rpc-target', utf8('secret')],
    ['data/tor/onions/wallet/authorized_clients/phone.auth', utf8('descriptor:x25519:AAAA')],
  ]);
}

type Change = (manifest: Record<string, unknown>, files: Map<string, Uint8Array>) => void;

/** An archive whose maker lies: the manifest is made to fit unless the change says otherwise. */
async function forged(change: Change): Promise<Uint8Array> {
  const files = serverFiles();
  const manifest: Record<string, unknown> = {
    format: 'sotto-backup',
    version: 1,
    created: CREATED.toISOString(),
    onions: {
      wallet: onionKeyFromSeed(new Uint8Array(32).fill(1)).address,
      p2p: onionKeyFromSeed(new Uint8Array(32).fill(2)).address,
      relay: onionKeyFromSeed(new Uint8Array(32).fill(3)).address,
    },
    nodeId: (await readArchive(await packArchive(files, CREATED))).nodeId,
  };
  change(manifest, files);
  manifest['files'] ??= listOf(files);
  return packTar(new Map([['manifest.json', utf8(JSON.stringify(manifest))], ...files]));
}

function listOf(files: ReadonlyMap<string, Uint8Array>): unknown[] {
  return [...files].map(([path, bytes]) => ({
    path,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  }));
}

test('an archive is read back as it was packed', async () => {
  const files = serverFiles();
  const read = await readArchive(await packArchive(files, CREATED));
  assert.deepEqual(new Map(read.files), files);
  assert.equal(read.created, '2026-11-22T10:00:00.000Z');
  assert.equal(read.onions.wallet, onionKeyFromSeed(new Uint8Array(32).fill(1)).address);
});

test('what this test calls forged is fine when nothing is changed', async () => {
  await readArchive(await forged(() => undefined));
});

test('files that do not make a whole server are not packed', async () => {
  const files = serverFiles();
  files.delete(REQUIRED.relaySeed);
  await assert.rejects(packArchive(files, CREATED), /relay-onion\.seed is missing/);
});

const LIES: readonly [string, RegExp, Change][] = [
  ['a later version', /has version 2; this sotto reads 1/, (manifest) => (manifest['version'] = 2)],
  ['another format', /not one of Sotto/, (manifest) => (manifest['format'] = 'zip')],
  ['an unknown field', /manifest is wrong/, (manifest) => (manifest['surprise'] = 1)],
  [
    'a path that leaves the home',
    /no server has a file "\.\.\/\.\.\/etc\/passwd"/,
    (_, files) => files.set('../../etc/passwd', utf8('x')),
  ],
  ['an absolute path', /no server has a file/, (_, files) => files.set('/etc/cron.d/x', utf8('x'))],
  [
    'a path that climbs out of an allowed directory',
    /no server has a file/,
    (_, files) => files.set('secrets/../../.ssh/authorized_keys', utf8('x')),
  ],
  [
    'a file that no server has',
    /no server has a file/,
    (_, files) => files.set('compose.yaml', utf8('x')),
  ],
  ['a control sequence in a name', /"\?\[2J"/, (_, files) => files.set('\u001b[2J', utf8('x'))],
  [
    'a file the manifest does not list',
    /is not in its manifest/,
    (manifest, files) => {
      manifest['files'] = listOf(files);
      files.set('secrets/other', utf8('x'));
    },
  ],
  [
    'a file that is missing',
    /"secrets\/rpc-target" is missing/,
    (manifest, files) => {
      manifest['files'] = listOf(files);
      files.delete('secrets/rpc-target');
    },
  ],
  [
    'a file with another hash',
    /is not what it was/,
    (manifest, files) => {
      manifest['files'] = listOf(files);
      files.set('secrets/rpc-target', utf8('Secret'));
    },
  ],
  [
    'a file listed twice',
    /lists a file twice/,
    (manifest, files) => (manifest['files'] = [...listOf(files), ...listOf(files)]),
  ],
  [
    'a seed that makes another address',
    /key of the p2p onion does not make its address/,
    (_, files) => files.set(REQUIRED.p2pSeed, new Uint8Array(32).fill(9)),
  ],
  [
    'an identity that makes another node id',
    /does not make the node id/,
    (_, files) => files.set(REQUIRED.identitySeed, new Uint8Array(32).fill(9)),
  ],
  [
    'a seed of 31 bytes',
    /has not 32 bytes/,
    (_, files) => files.set(REQUIRED.walletSeed, new Uint8Array(31)),
  ],
  ['no configuration', /sotto\.yaml is missing/, (_, files) => files.delete(REQUIRED.config)],
  [
    'a damaged marker',
    /\.sotto-server is damaged/,
    (_, files) => files.set(REQUIRED.marker, Uint8Array.of(0xff)),
  ],
];

for (const [name, words, change] of LIES) {
  test(`an archive with ${name} is refused`, async () => {
    await assert.rejects(readArchive(await forged(change)), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, words);
      return true;
    });
  });
}

async function tarOf(fill: (tar: ReturnType<typeof pack>) => void): Promise<Uint8Array> {
  const tar = pack();
  fill(tar);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test('a symbolic link, a duplicate name and a huge file are refused before anything else', async () => {
  await assert.rejects(
    readArchive(
      await tarOf((tar) => tar.entry({ name: 'secrets', type: 'symlink', linkname: '/' })),
    ),
    /"secrets" is no file but a symlink/,
  );
  await assert.rejects(
    readArchive(
      await tarOf((tar) => {
        tar.entry({ name: 'sotto.yaml' }, 'a');
        tar.entry({ name: 'sotto.yaml' }, 'b');
      }),
    ),
    /"sotto\.yaml" is there twice/,
  );
  await assert.rejects(
    readArchive(await tarOf((tar) => tar.entry({ name: 'sotto.yaml' }, 'x'.repeat(2 << 20)))),
    /too large/,
  );
  await assert.rejects(
    readArchive(
      await tarOf((tar) => {
        for (let count = 0; count <= 2001; count++) tar.entry({ name: `f${count}` }, 'x');
      }),
    ),
    /over 2000 files/,
  );
});

test('an archive that was cut anywhere, or with a bit turned, never reads as something else', async () => {
  const whole = await packArchive(serverFiles(), CREATED);
  const expected = await readArchive(whole);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length - 1),
      fc.nat(7),
      fc.boolean(),
      async (position, bit, cut) => {
        const changed = cut ? whole.slice(0, position) : whole.slice();
        if (!cut) changed.set([(changed[position] ?? 0) ^ (1 << bit)], position);
        try {
          // Padding and the times of a tar mean nothing, and nothing but the seal around it holds the day.
          const read = await readArchive(changed);
          assert.deepEqual({ ...read, created: expected.created }, expected);
        } catch (error) {
          assert.ok(error instanceof UserError, String(error));
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('noise is refused with words, whatever it is', async () => {
  const block = fc.uint8Array({ minLength: 0, maxLength: 2000 });
  await fc.assert(
    fc.asyncProperty(block, async (bytes) => {
      await assert.rejects(readArchive(bytes), UserError);
    }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 }),
      fc.array(fc.tuple(fc.string({ minLength: 1 }), block), { maxLength: 3 }),
      async (manifest, files) => {
        const bytes = await packTar(
          new Map([['manifest.json', utf8(JSON.stringify(manifest))], ...files]),
        );
        await assert.rejects(readArchive(bytes), UserError);
      },
    ),
  );
});

test('the manifest is the first file and can be read with nothing but tar', async () => {
  const bytes = await packArchive(serverFiles(), CREATED);
  assert.match(fromUtf8(bytes.subarray(0, 13)), /^manifest\.json$/);
});
