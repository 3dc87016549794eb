import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { TEST_TIME, testKeyConfig, testSeed } from '../../test/test-directory.ts';
import { testBond } from '../../test/test-bond.ts';
import { toHex } from '../base/bytes.ts';
import { silent } from '../base/log.ts';
import type { Bond } from '../directory/bond-line.ts';
import { type Descriptor, parseDescriptor } from '../directory/descriptor.ts';
import { signingKeyFromSeed } from '../directory/signing-key.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { publishDescriptor } from './descriptor-publisher.ts';

const HOUR = 3600;
const KEYS = {
  identity: testSeed('identity'),
  reply: testSeed('reply'),
  onion: testSeed('onion'),
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Fixture extends AsyncDisposable {
  nowSeconds: number;
  epoch: number;
  replyKeyUntil: number;
  readonly served: Set<string>;
  readonly written: () => Descriptor;
  damage(): void;
  /** Stops the publisher and starts another one in the same data directory. */
  restart(changes?: { readonly leaves?: boolean }): Promise<void>;
  /** Lets the publisher look, and waits until it has written so many descriptors. */
  look(written: number): Promise<void>;
}

async function publish({
  leaves = false,
  bond,
}: { readonly leaves?: boolean; readonly bond?: Bond } = {}): Promise<Fixture> {
  const directory = await makeTemporaryDirectory();
  const served = new Set<string>();
  const keyOf = (epoch: number) => ({ epoch, keyConfig: testKeyConfig('node', epoch) });
  let publisher: AsyncDisposable | undefined;
  const fixture: Fixture = {
    nowSeconds: TEST_TIME,
    epoch: 20_788,
    replyKeyUntil: TEST_TIME + 4 * 24 * HOUR,
    served,
    written: () => parseDescriptor(readFileSync(join(directory.path, 'descriptor'), 'utf8')),
    damage: () => {
      writeFileSync(join(directory.path, 'descriptor'), Uint8Array.of(0xff));
    },
    async restart(changes) {
      await publisher?.[Symbol.asyncDispose]();
      publisher = await start({ leaves, ...changes });
    },
    async look(written) {
      vi.advanceTimersByTime(10_000);
      await vi.waitFor(() => {
        assert.equal(served.size, written);
        assert.equal(toHex(fixture.written().digest), [...served].at(-1));
      });
    },
    async [Symbol.asyncDispose]() {
      await publisher?.[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
  const start = (changes: { readonly leaves: boolean }) =>
    publishDescriptor({
      dataDirectory: directory.path,
      keys: KEYS,
      epochKeys: {
        keyFor: () => undefined,
        published: () => [keyOf(fixture.epoch), keyOf(fixture.epoch + 1)],
        [Symbol.asyncDispose]: () => Promise.resolve(),
      },
      replyKeys: {
        announced: () => ({
          key: signingKeyFromSeed(testSeed(`reply ${fixture.replyKeyUntil}`)),
          until: fixture.replyKeyUntil,
        }),
      },
      family: [],
      electrum: { protocol: '1.6', genesis: '00'.repeat(32) },
      ...changes,
      bond,
      publish: (digest) => served.add(toHex(digest)),
      clock: () => fixture.nowSeconds * 1000,
      log: silent,
    });
  publisher = await start({ leaves });
  return fixture;
}

test('the descriptor names the keys and holds for a day', async () => {
  await using fixture = await publish();
  const { keyConfigs, published, expires, roles } = fixture.written();
  assert.deepEqual(
    keyConfigs.map(({ epoch }) => epoch),
    [20_788, 20_789],
  );
  assert.deepEqual([published, expires], [TEST_TIME, TEST_TIME + 24 * HOUR]);
  assert.deepEqual([...roles], ['relay', 'gateway']);
  assert.equal(fixture.served.size, 1);
});

test('the descriptor is renewed after six hours and not before', async () => {
  await using fixture = await publish();
  fixture.nowSeconds += 6 * HOUR;
  await fixture.look(1);
  assert.equal(fixture.written().published, TEST_TIME);
  fixture.nowSeconds += 1;
  await fixture.look(2);
  assert.equal(fixture.written().published, fixture.nowSeconds);
  await fixture.look(2);
});

test('the descriptor is renewed when an epoch begins', async () => {
  await using fixture = await publish();
  fixture.nowSeconds += 60;
  fixture.epoch += 1;
  await fixture.look(2);
  assert.equal(fixture.written().keyConfigs[0].epoch, 20_789);
});

test('the descriptor is renewed when the reply key changes', async () => {
  await using fixture = await publish();
  const before = fixture.written();
  fixture.nowSeconds += 60;
  fixture.replyKeyUntil += 27 * 24 * HOUR;
  await fixture.look(2);
  const { replyKey, replyKeyUntil } = fixture.written();
  assert.equal(replyKeyUntil, before.replyKeyUntil + 27 * 24 * HOUR);
  assert.notDeepEqual(replyKey, before.replyKey);
});

test('the descriptor names the bond that the node has', async () => {
  const { bond } = testBond({ nodeId: '00'.repeat(16) });
  await using fixture = await publish({ bond });
  assert.deepEqual(fixture.written().bond, bond);
});

test('a node that leaves says so once, in a descriptor that expires after a second', async () => {
  await using fixture = await publish({ leaves: true });
  const { published, expires } = fixture.written();
  assert.equal(expires, published + 1);
  fixture.nowSeconds += 25 * HOUR;
  fixture.epoch += 1;
  await fixture.look(1);
});

test('the descriptor is renewed when the clock was set back, unless by so little that it is taken', async () => {
  await using fixture = await publish();
  fixture.nowSeconds -= 600;
  await fixture.look(1);
  fixture.nowSeconds -= 1;
  await fixture.look(2);
  assert.equal(fixture.written().published, TEST_TIME - 601);
});

test('a node whose clock was a little ahead still says something newer, that it leaves too', async () => {
  await using fixture = await publish();
  fixture.nowSeconds -= 300;
  fixture.epoch += 1;
  await fixture.look(2);
  assert.equal(fixture.written().published, TEST_TIME + 1);
  await fixture.restart({ leaves: true });
  const { published, expires } = fixture.written();
  assert.deepEqual([published, expires], [TEST_TIME + 2, TEST_TIME + 3]);
});

test('what nobody can hold, because it was published too far ahead, does not count', async () => {
  await using fixture = await publish();
  fixture.nowSeconds -= 3 * HOUR;
  await fixture.restart();
  assert.equal(fixture.written().published, TEST_TIME - 3 * HOUR);
});

test('a descriptor on disk that is damaged is replaced', async () => {
  await using fixture = await publish();
  fixture.damage();
  await fixture.restart();
  assert.equal(fixture.written().published, TEST_TIME);
});
