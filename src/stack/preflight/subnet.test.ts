import assert from 'node:assert/strict';
import { test } from 'vitest';
import { overlap, parseRoutes, parseSubnet } from './subnet.ts';

const OWN = parseSubnet('10.213.50.0/25');

function overlapsOwn(text: string): boolean {
  const other = parseSubnet(text);
  assert.ok(OWN && other, text);
  return overlap(OWN, other);
}

test('subnets overlap when they share an address', () => {
  assert.ok(overlapsOwn('10.213.50.0/29'));
  assert.ok(overlapsOwn('10.0.0.0/8'));
  assert.ok(overlapsOwn('10.213.50.127/32'));
  assert.ok(!overlapsOwn('10.213.50.128/25'));
  assert.ok(!overlapsOwn('172.17.0.0/16'));
});

test('what is no subnet of IPv4 is none', () => {
  for (const text of ['', 'fd00::/64', '10.0.0.0', '10.0.0.0/33']) {
    assert.equal(parseSubnet(text), undefined, text);
  }
});

test("the kernel's routes are read, and the one to everywhere is left out", () => {
  const table = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
    '',
  ].join('\n');
  assert.deepEqual(parseRoutes(table), [parseSubnet('172.17.0.0/16')]);
});
