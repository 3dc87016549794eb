import assert from 'node:assert/strict';
import { test } from 'vitest';
import { testContainer } from '../../../test/docker-container.ts';
import { containerOf, serviceState } from './service-state.ts';

test('a service without a container is missing', () => {
  assert.deepEqual(serviceState('tor', undefined), {
    service: 'tor',
    state: 'missing',
    restarts: 0,
  });
});

test('a container that runs says since when and from what', () => {
  assert.deepEqual(serviceState('tor', testContainer({ service: 'tor' })), {
    service: 'tor',
    state: 'running',
    restarts: 0,
    since: '2026-11-22T10:43:01.561379011Z',
    image: 'sotto-tor:0',
    imageId: 'sha256:00',
  });
});

test('how it ended last is said in words', () => {
  const exits: readonly (readonly [object, string | undefined])[] = [
    [{ ExitCode: 1 }, 'code 1'],
    [{ ExitCode: 137 }, 'SIGKILL'],
    [{ ExitCode: 137, OOMKilled: true }, 'out of memory'],
    [{ ExitCode: 127, Error: 'no such program' }, 'no such program'],
    [{ FinishedAt: '0001-01-01T00:00:00Z', Status: 'created' }, undefined],
  ];
  for (const [change, words] of exits) {
    const container = testContainer({ service: 'tor' });
    Object.assign(container.State, { Status: 'exited' }, change);
    const state = serviceState('tor', container);
    assert.equal(state.state, 'stopped');
    assert.equal(state.lastExit, words);
  }
});

test('the container of a `docker compose run` is not the service', () => {
  const extra = testContainer({ service: 'node' });
  assert.ok(extra.Config.Labels);
  extra.Config.Labels['com.docker.compose.oneoff'] = 'True';
  const node = testContainer({ service: 'node' });
  assert.equal(containerOf('node', [extra, node]), node);
});
