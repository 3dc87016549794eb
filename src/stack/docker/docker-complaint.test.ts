import assert from 'node:assert/strict';
import { test } from 'vitest';
import { explainDocker } from './docker-complaint.ts';

/** As docker 20.10 to 28 and compose 2.26 say it. */
const SAID: readonly (readonly [string, RegExp, RegExp])[] = [
  [
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/version": dial unix /var/run/docker.sock: connect: permission denied',
    /may not use Docker/,
    /usermod -aG docker/,
  ],
  [
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    /does not run/,
    /systemctl enable --now docker/,
  ],
  ["docker: 'compose' is not a docker command.\nSee 'docker --help'", /no compose/, /apt-get/],
  [
    'failed to create network sotto_egress: Error response from daemon: Pool overlaps with other one on this address space',
    /addresses/,
    /network_prefix/,
  ],
  [
    'Error response from daemon: driver failed programming external connectivity on endpoint sotto-lan-1: Bind for 192.168.1.5:50001 failed: port is already allocated',
    /expose_lan/,
    /free port/,
  ],
  ['write /var/lib/docker/tmp/GetImageBlob: no space left on device', /disk is full/, /df/],
  [
    'Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
    /cannot be fetched/,
    /online/,
  ],
];

test('what a person can mend is said in words, with what to type', () => {
  for (const [said, message, hint] of SAID) {
    const error = explainDocker(['compose'], said);
    assert.match(error.message, message);
    assert.match(error.hint ?? '', hint);
    assert.ok(error.hint?.includes(said.split('\n')[0] ?? ''), 'docker is quoted');
  }
});

test('what is not known is said in the last of its own words', () => {
  const said = Array.from({ length: 100 }, (_, index) => `line ${index}`).join('\n');
  const error = explainDocker(['compose', 'up'], said);
  assert.match(error.message, /^docker compose failed: line 92\n/);
  assert.match(error.message, /line 99$/);
});

test('an error without words is an error too', () => {
  assert.equal(explainDocker(['ps'], ' \n').message, 'docker ps failed: it does not say why');
});
