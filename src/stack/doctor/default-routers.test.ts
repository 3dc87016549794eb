import assert from 'node:assert/strict';
import { test } from 'vitest';
import { defaultRouters } from './default-routers.ts';

const HEAD =
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       \n';
const OWN_NETWORK = 'eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n';
const DEFAULT = 'eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n';
const SIX_LOOPBACK =
  '00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n';
const SIX_DEFAULT =
  '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n';

test('a network of neighbours is no way out', () => {
  assert.deepEqual(defaultRouters({ four: HEAD + OWN_NETWORK, six: SIX_LOOPBACK }), []);
  assert.deepEqual(defaultRouters({ four: '', six: '' }), []);
});

test('routers to everywhere are named, of both families', () => {
  assert.deepEqual(defaultRouters({ four: HEAD + DEFAULT + OWN_NETWORK, six: SIX_DEFAULT }), [
    '172.17.0.1',
    'fe800000000000000000000000000001',
  ]);
});
