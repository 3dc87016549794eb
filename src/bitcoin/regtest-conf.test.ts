import assert from 'node:assert/strict';
import { test } from 'vitest';
import { renderRegtestConf } from './regtest-conf.ts';

test('ports and binds stand in the section of regtest, where alone they count', () => {
  const text = renderRegtestConf({ rpcPort: 1, p2pPort: 2, zmqPort: 3 });
  const [common = '', regtest = ''] = text.split('[regtest]\n');
  const keys = (part: string): string[] =>
    [...part.matchAll(/^(\w+)=/gm)].map(([, key = '']) => key);
  for (const key of ['bind', 'connect', 'rpcbind', 'rpcport']) {
    assert.ok(keys(regtest).includes(key) && !keys(common).includes(key), key);
  }
});

test('nothing listens, dials or asks beyond this machine, and there is no password', () => {
  const text = renderRegtestConf({ rpcPort: 1, p2pPort: 2, zmqPort: 3 });
  for (const line of [
    'dns=0',
    'dnsseed=0',
    'discover=0',
    'natpmp=0',
    'listenonion=0',
    'connect=0',
  ]) {
    assert.match(text, new RegExp(`^${line}$`, 'm'));
  }
  for (const [address] of text.matchAll(/\d+\.\d+\.\d+\.\d+/g)) assert.equal(address, '127.0.0.1');
  assert.doesNotMatch(text, /rpcpassword|rpcauth/);
});
