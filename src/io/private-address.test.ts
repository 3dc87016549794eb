import assert from 'node:assert/strict';
import { test } from 'vitest';
import { isPrivateAddress } from './private-address.ts';

test('loopback and private networks are private', () => {
  const hosts = ['127.0.0.1', '127.213.0.53', '10.213.50.2', '172.16.0.1', '172.31.255.255'];
  for (const host of [...hosts, '192.168.1.5']) assert.ok(isPrivateAddress(host), host);
});

test('the internet, names and odd spellings are not private', () => {
  const internet = ['0.0.0.0', '8.8.8.8', '11.0.0.1', '172.15.0.1', '172.32.0.1', '192.169.0.1'];
  const others = ['localhost', 'tor', '10.1', '010.0.0.1', '0x0a000001', '10.0.0.1.', '::1', ''];
  for (const host of [...internet, ...others, '169.254.169.254', '100.64.0.1', '::ffff:10.0.0.1']) {
    assert.ok(!isPrivateAddress(host), host);
  }
});
