import assert from 'node:assert/strict';
import { test } from 'vitest';
import { walletStrings } from './connect.ts';

const ONION = 'aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bqead.onion';
const server = {
  address: { host: ONION, port: 50_001 },
  network: 'mainnet',
  proxy: { host: '127.0.0.1', port: 9050 },
} as const;

test('each wallet gets the words that it takes for an onion', () => {
  const strings = walletStrings(server);
  assert.equal(strings.server, `${ONION}:50001:t`);
  assert.equal(
    strings.electrum.command,
    `electrum --oneserver --server ${ONION}:50001:t --proxy socks5:127.0.0.1:9050`,
  );
  // With both true, Electrum 4.8 asks a server of its own choice.
  const { oneserver, auto_connect } = strings.electrum.config;
  assert.deepEqual([oneserver, auto_connect], [true, false]);
  assert.equal(strings.sparrow.url, `tcp://${ONION}:50001`);
  assert.equal(strings.sparrow.proxy, '127.0.0.1:9050');
  assert.equal(strings.bluewallet.qr, `${ONION}:50001:t`);
  assert.equal(strings.bluewallet.link, `bluewallet:setelectrumserver?server=${ONION}%3A50001%3At`);
});

test('in a local network there is no proxy', () => {
  const address = { host: '192.168.1.5', port: 50_001 };
  const { electrum, sparrow } = walletStrings({ address, network: 'mainnet' });
  assert.equal(electrum.command, 'electrum --oneserver --server 192.168.1.5:50001:t');
  assert.ok(!('proxy' in electrum.config) && !('proxy' in sparrow));
});

test('Electrum is told the network', () => {
  for (const network of ['testnet4', 'signet', 'regtest'] as const) {
    const { command } = walletStrings({ ...server, network }).electrum;
    assert.match(command, new RegExp(`^electrum --${network} --oneserver `));
  }
});
