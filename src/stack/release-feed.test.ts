import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { TorReply } from '../io/tor-get.ts';
import { loadPins, type ReleaseFeed } from './pins.ts';
import { feedUrl, newestVersion, ReleaseFeedError } from './release-feed.ts';

const CORE: ReleaseFeed = { kind: 'github', repository: 'bitcoin/bitcoin' };
const TOR: ReleaseFeed = { kind: 'debian', package: 'tor', suite: 'trixie-security' };
const NODE: ReleaseFeed = { kind: 'node', line: 24 };
const TAGS = 'https://github.com/bitcoin/bitcoin/releases/tag/';

const reply = (part: Partial<TorReply>): TorReply => ({
  status: 200,
  location: undefined,
  body: '',
  ...part,
});

test('every feed of the pins is asked over https', async () => {
  for (const { feed } of Object.values(await loadPins())) {
    assert.equal(new URL(feedUrl(feed)).protocol, 'https:');
  }
});

test('GitHub tells the newest version by where it redirects to', () => {
  assert.equal(newestVersion(CORE, reply({ status: 302, location: `${TAGS}v31.1` })), '31.1');
});

test('of the versions that Debian has in a suite the newest counts, as its makers name it', () => {
  const body = [
    ' tor | 0.4.9.9-1~deb13u1    | trixie-security | source, amd64',
    ' tor | 0.4.9.15-0+deb13u1   | trixie-security | source, amd64, arm64',
    ' tor | 0.5.0.1-1            | sid             | source, amd64',
    ' tor-geoipdb | 0.9.9.9-1    | trixie-security | all',
  ].join('\n');
  assert.equal(newestVersion(TOR, reply({ body })), '0.4.9.15');
});

test('Node names its newest version in the hashes of its line', () => {
  const hash = '0'.repeat(64);
  const body = `${hash}  node-v24.22.1-linux-arm64.tar.xz\n${hash}  node-v24.22.1-linux-x64.tar.xz\n`;
  assert.equal(newestVersion(NODE, reply({ body })), '24.22.1');
});

test('anything else is not believed', () => {
  const hash = '0'.repeat(64);
  const bad: readonly (readonly [ReleaseFeed, Partial<TorReply>])[] = [
    [CORE, { status: 200, location: `${TAGS}v31.1` }],
    [CORE, { status: 302 }],
    [CORE, { status: 302, location: 'https://evil.example/bitcoin/releases/tag/v99.0' }],
    [CORE, { status: 302, location: `${TAGS}v31.1/../v99` }],
    [CORE, { status: 302, location: `${TAGS}v31.1rc1` }],
    [TOR, { status: 403, body: ' tor | 0.4.9.15-1 | trixie-security | source' }],
    [TOR, { body: '<html>tor | 0.4.9.15 | trixie-security |</html>' }],
    [TOR, { body: ' tor | 9.9.9.9-1 | sid | source' }],
    [NODE, { body: `${hash}  node-v25.0.0-linux-x64.tar.xz` }],
    [NODE, { body: 'node-v24.22.1-linux-x64.tar.xz' }],
  ];
  for (const [feed, part] of bad) {
    assert.throws(() => newestVersion(feed, reply(part)), ReleaseFeedError);
  }
});
