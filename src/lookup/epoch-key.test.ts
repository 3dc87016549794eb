import assert from 'node:assert/strict';
import { test } from 'vitest';
import { toBase64 } from '../base/bytes.ts';
import { keyConfigAt } from './epoch-key.ts';

const DAY_MS = 86_400_000;
const config = (keyId: number): Uint8Array => Uint8Array.of(keyId, 0, 0x20);
const keyConfigs = { current: toBase64(config(255)), next: toBase64(config(0)) };

test('cells are sealed to the key of the epoch that is now, also across the turn of the key ids', () => {
  const midnight = 256 * DAY_MS;
  assert.deepEqual(keyConfigAt({ keyConfigs }, midnight - 1), config(255));
  assert.deepEqual(keyConfigAt({ keyConfigs }, midnight), config(0));
});

test('the current key serves where epochs are not whole days', () => {
  assert.deepEqual(keyConfigAt({ keyConfigs }, 17 * DAY_MS), config(255));
});
