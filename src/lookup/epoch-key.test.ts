import assert from 'node:assert/strict';
import { test } from 'vitest';
import { keyConfigAt } from './epoch-key.ts';

const DAY_MS = 86_400_000;
const config = (keyId: number): Uint8Array => Uint8Array.of(keyId, 0, 0x20);
const keyConfigs = [config(255), config(0)] as const;

test('cells are sealed to the key of the epoch that is now, also across the turn of the key ids', () => {
  const midnight = 256 * DAY_MS;
  assert.equal(keyConfigAt({ keyConfigs }, midnight - 1), keyConfigs[0]);
  assert.equal(keyConfigAt({ keyConfigs }, midnight), keyConfigs[1]);
});

test('the current key serves where epochs are not whole days', () => {
  assert.equal(keyConfigAt({ keyConfigs }, 17 * DAY_MS), keyConfigs[0]);
});
