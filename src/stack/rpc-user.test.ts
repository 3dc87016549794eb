import assert from 'node:assert/strict';
import { test } from 'vitest';
import { rpcCookieFile, rpcUser } from './rpc-user.ts';

const USER = {
  name: 'test',
  password: 'a password',
  salt: '42b5979979c1f2a3d4e5f60718293a4b',
};

test('salt and password give the HMAC that share/rpcauth/rpcauth.py of Bitcoin Core gives', () => {
  const { hmac } = rpcUser(USER);
  assert.equal(hmac, '648c5a98abbbae3f35ffc0aaf81e48b63c0db35b17cd133f64525bbd4695debd');
});

test('the indexer reads name and password in the form of a cookie', () => {
  assert.equal(rpcCookieFile(rpcUser(USER)).text, 'test:a password');
});
