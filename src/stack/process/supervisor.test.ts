import assert from 'node:assert/strict';
import { test } from 'vitest';
import { silent } from '../../base/log.ts';
import type { Child, ChildExit } from '../../io/child-process.ts';
import type { ServiceName, ServiceSpec } from '../service.ts';
import { type Services, Supervisor } from './supervisor.ts';

const ONIONS = { wallet: 'w.onion', relay: 'r.onion', p2p: 'p.onion' };

function spec(name: ServiceName, changes: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    name,
    command: ['true'],
    files: [{ name: 'conf', text: 'a' }],
    reaches: [],
    listens: [],
    memoryMiB: 1,
    stopSeconds: 1,
    ...changes,
  };
}

function plan(...services: readonly ServiceSpec[]): Services {
  return { services, onions: ONIONS };
}

/** A program that runs until it is told how it ends. */
class FakeChild implements Child {
  readonly pid = 1;
  readonly exited: Promise<ChildExit>;
  readonly failed = new Promise<never>(() => undefined);
  end: (exit: ChildExit) => void = () => undefined;
  readonly #onStop: () => void;

  constructor(onStop: () => void) {
    this.#onStop = onStop;
    this.exited = new Promise((resolve) => (this.end = resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#onStop();
    this.end({ code: undefined, signal: 'SIGTERM' });
    return Promise.resolve();
  }
}

/** A world whose clock moves only with those who sleep. */
class World {
  now = 0;
  readonly events: string[] = [];
  readonly children = new Map<ServiceName, FakeChild>();
  /** Says for each start whether it works. */
  canStart = true;
  #wake: (() => void) | undefined;

  readonly supervisor = new Supervisor({
    start: async ({ name }) => {
      await Promise.resolve();
      this.events.push(`start ${name}`);
      if (!this.canStart) throw new Error('no such program');
      const child = new FakeChild(() => this.events.push(`stop ${name}`));
      this.children.set(name, child);
      return child;
    },
    timing: {
      clock: () => this.now,
      random: () => 1,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          this.events.push(`wait ${ms}`);
          const stop = (): void => {
            resolve();
          };
          signal.addEventListener('abort', stop);
          this.#wake = () => {
            signal.removeEventListener('abort', stop);
            this.now += ms;
            resolve();
          };
        }),
    },
    log: silent,
  });

  end(name: ServiceName, exit: Partial<ChildExit> = { code: 1 }): Promise<void> {
    this.children.get(name)?.end({ code: undefined, signal: undefined, ...exit });
    return settle();
  }

  /** Lets the wait that was begun last pass. */
  wake(): Promise<void> {
    this.#wake?.();
    return settle();
  }

  take(): string[] {
    return this.events.splice(0);
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('services start in the order of the plan and end in the other', async () => {
  const world = new World();
  await world.supervisor.apply(plan(spec('tor'), spec('bitcoind'), spec('target')));
  assert.deepEqual(world.take(), ['start tor', 'start bitcoind', 'start target']);
  assert.deepEqual(
    world.supervisor.states().map(({ service, state, since }) => [service, state, since]),
    ['tor', 'bitcoind', 'target'].map((name) => [name, 'running', '1970-01-01T00:00:00.000Z']),
  );
  await world.supervisor[Symbol.asyncDispose]();
  assert.deepEqual(world.take(), [...['stop target', 'stop bitcoind', 'stop tor']]);
  for (const { state, since } of world.supervisor.states()) {
    assert.deepEqual([state, since], ['stopped', undefined]);
  }
});

test('who ended is started again after a wait, and it is told how often and how it ended', async () => {
  const world = new World();
  await world.supervisor.apply(plan(spec('tor')));
  await world.end('tor', { code: 1 });
  assert.deepEqual(world.supervisor.states(), [
    { service: 'tor', state: 'restarting', restarts: 1, lastExit: 'code 1' },
  ]);
  await world.wake();
  await world.end('tor', { signal: 'SIGKILL' });
  await world.wake();
  assert.deepEqual(world.supervisor.states(), [
    {
      service: 'tor',
      state: 'running',
      restarts: 2,
      since: '1970-01-01T00:00:00.750Z',
      lastExit: 'SIGKILL',
    },
  ]);
  assert.deepEqual(world.take(), [
    ...['start tor', 'stop tor', 'wait 250', 'start tor', 'stop tor', 'wait 500', 'start tor'],
  ]);
});

test('who fails at once forever is waited for longer and longer, up to a minute', async () => {
  const world = new World();
  world.canStart = false;
  await world.supervisor.apply(plan(spec('tor')));
  for (let count = 0; count < 30; count++) await world.wake();
  const waits = world.take().filter((event) => event.startsWith('wait'));
  assert.equal(waits.length, 31);
  assert.equal(waits.at(-1), 'wait 60000');
  assert.equal(world.supervisor.states()[0]?.lastExit, 'no such program');
  // It can still be stopped while it waits.
  await world.supervisor[Symbol.asyncDispose]();
  assert.equal(world.supervisor.states()[0]?.state, 'stopped');
});

test('another plan ends what it has not, and anew starts only what it has otherwise', async () => {
  const world = new World();
  await world.supervisor.apply(plan(spec('tor'), spec('target'), spec('node'), spec('guard')));
  world.take();
  const other = spec('node', { files: [{ name: 'conf', text: 'b' }] });
  await world.supervisor.apply(plan(spec('tor'), spec('target'), other));
  assert.deepEqual(world.take(), ['stop guard', 'stop node', 'start node']);
  await world.supervisor.apply(plan(spec('tor'), spec('target'), other));
  assert.deepEqual(world.take(), []);
});

test('other onion keys start tor anew and nothing else', async () => {
  const world = new World();
  const services = [spec('tor'), spec('target')];
  await world.supervisor.apply(plan(...services));
  world.take();
  await world.supervisor.apply({ services, onions: { ...ONIONS, wallet: 'other.onion' } });
  assert.deepEqual(world.take(), ['stop tor', 'start tor']);
});

test('a restart by hand ends and starts what was named, and counts from nought', async () => {
  const world = new World();
  const all = plan(spec('tor'), spec('target'));
  await world.supervisor.apply(all);
  await world.end('target');
  await world.wake();
  world.take();
  await world.supervisor.apply(all, ['target']);
  assert.deepEqual(world.take(), ['stop target', 'start target']);
  assert.deepEqual(
    world.supervisor.states().map(({ restarts }) => restarts),
    [0, 0],
  );
});

test('orders that come together are carried out one after the other', async () => {
  const world = new World();
  const all = plan(spec('tor'), spec('target'));
  await Promise.all([
    world.supervisor.apply(all),
    world.supervisor.apply(all, ['tor']),
    world.supervisor.apply(plan(spec('tor'))),
  ]);
  assert.deepEqual(world.take(), [
    ...['start tor', 'start target', 'stop tor', 'start tor', 'stop target'],
  ]);
});
