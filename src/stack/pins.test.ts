import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { imagesOf } from './images.ts';
import { PACKAGE_ROOT } from './package-root.ts';
import { loadPins, parsePins, pinnedImage } from './pins.ts';

const read = (...path: string[]): Promise<string> => readFile(join(PACKAGE_ROOT, ...path), 'utf8');

test('the Dockerfiles stand on the pinned bases', async () => {
  const pins = await loadPins();
  for (const image of ['tor', 'node'] as const) {
    const dockerfile = await read('docker', image, 'Dockerfile');
    assert.equal(/^ARG BASE_IMAGE=(.*)$/m.exec(dockerfile)?.[1], pinnedImage(pins[image]));
  }
});

test('compose.yaml falls back on the pinned images', async () => {
  const pins = await loadPins();
  const compose = await read('compose.yaml');
  assert.ok(compose.includes(`\${SOTTO_BITCOIND_IMAGE:-${pinnedImage(pins.bitcoind)}}`));
  assert.ok(compose.includes(`\${SOTTO_TARGET_IMAGE:-${pinnedImage(pins.fulcrum)}}`));
});

test("tor's start asks for the floor that the pins name", async () => {
  const { tor } = await loadPins();
  assert.match(await read('docker', 'tor', 'sotto-tor'), new RegExp(`^FLOOR=${tor.floor}$`, 'm'));
});

test('a version that must never run is refused', async () => {
  const text = await read('docker', 'pins.yaml');
  assert.throws(
    () => parsePins(text.replace(/version: '31.1'/, "version: '31.0'")),
    (error: { hint?: string }) =>
      /line \d+: bitcoind.version: this version must never run/.test(error.hint ?? ''),
  );
});

test('the pins say which Bitcoin Core it is not', async () => {
  const { bitcoind } = await loadPins();
  assert.equal(bitcoind.version, '31.1');
  assert.deepEqual(
    bitcoind.never.map(({ version }) => version),
    ['31.0'],
  );
});

test('the environment names other images, the devnet runs in the image of the node', async () => {
  const images = await imagesOf('devnet', {
    SOTTO_NODE_IMAGE: 'mine',
    SOTTO_BITCOIND_IMAGE: 'core',
  });
  assert.equal(images.node, 'mine');
  assert.equal(images.target, 'mine');
  assert.equal(images.bitcoind, 'core');
  assert.match(images.tor, /^sotto-tor:[0-9a-f]{12}$/);
  const fulcrum = await imagesOf('fulcrum', {});
  assert.match(fulcrum.target, /^cculianu\/fulcrum:v[\d.]+@sha256:[0-9a-f]{64}$/);
});
