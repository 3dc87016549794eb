import assert from 'node:assert/strict';
import { test } from 'vitest';
import { firstFailure, type Running, Scope } from './lifecycle.ts';

function resource(stop: () => void): AsyncDisposable {
  return {
    [Symbol.asyncDispose]() {
      stop();
      return Promise.resolve();
    },
  };
}

function failing(failed: Promise<never>): Running {
  return { failed, [Symbol.asyncDispose]: () => Promise.resolve() };
}

test('a scope stops the last started first', async () => {
  const stopped: string[] = [];
  {
    await using scope = new Scope();
    scope.use(resource(() => stopped.push('database')));
    scope.defer(() => void stopped.push('cache'));
    scope.use(resource(() => stopped.push('server')));
  }
  assert.deepEqual(stopped, ['server', 'cache', 'database']);
});

test('a scope stops everything even when some fail, and tells each failure', async () => {
  let stopped = false;
  const scope = new Scope();
  scope.use(resource(() => (stopped = true)));
  for (const name of ['one', 'two']) {
    scope.defer(() => {
      throw new Error(name);
    });
  }
  await assert.rejects(scope[Symbol.asyncDispose](), (error) => {
    assert.ok(error instanceof AggregateError);
    assert.deepEqual(
      error.errors.map((each: Error) => each.message),
      ['two', 'one'],
    );
    return true;
  });
  assert.ok(stopped);
});

test('a scope that was moved leaves its resources running', async () => {
  let stopped = false;
  const starting = new Scope();
  starting.use(resource(() => (stopped = true)));
  const started = starting.move();
  await starting[Symbol.asyncDispose]();
  assert.equal(stopped, false);
  await started[Symbol.asyncDispose]();
  assert.equal(stopped, true);
});

test('the first failure of several parts is theirs, and unwatched it harms nobody', async () => {
  const never = new Promise<never>(() => undefined);
  const failed = firstFailure(failing(never), failing(Promise.reject(new Error('tor is gone'))));
  await assert.rejects(failed, /tor is gone/);
});

test('of resources that start side by side, none outlives the scope when one fails', async () => {
  const stopped: string[] = [];
  const scope = new Scope();
  const late = new Promise<AsyncDisposable>((resolve) => {
    setTimeout(() => {
      resolve(resource(() => stopped.push('late')));
    }, 10);
  });
  await assert.rejects(scope.useAll([Promise.reject(new Error('no port')), late]), /no port/);
  await scope[Symbol.asyncDispose]();
  assert.deepEqual(stopped, ['late']);
});
