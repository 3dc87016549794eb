import assert from 'node:assert/strict';
import { test } from 'vitest';
import { ElectrumRpcError } from '../electrum/rpc-error.ts';
import { type ElectrumSession, type SessionContext } from '../electrum/session.ts';
import { LookupError, NOBODY } from '../lookup/fault.ts';
import { WalletSubscriptions } from './wallet-subscriptions.ts';

type Tell = (status: string | null) => void;

interface Wallet {
  readonly subscriptions: WalletSubscriptions;
  readonly session: ElectrumSession;
  /** Status changes, by script. */
  readonly tell: Map<string, Tell>;
  readonly stopped: string[];
  readonly notified: unknown[];
  readonly context: SessionContext;
  /** The replies so far are on their way. */
  readonly reply: () => void;
  readonly subscribe: (scripthash: string) => Promise<string | null>;
  readonly unsubscribe: (scripthash: string) => unknown;
}

function wallet(first: () => Promise<string | null> = () => Promise.resolve('first')): Wallet {
  const tell = new Map<string, Tell>();
  const stopped: string[] = [];
  const notified: unknown[] = [];
  const session = {
    notify: (_: string, params: unknown) => notified.push(params),
  } as unknown as ElectrumSession;
  const subscriptions = new WalletSubscriptions({
    watchList: {
      subscribe: (scriptHash, onStatus) => {
        tell.set(scriptHash, onStatus);
        return { first: first(), stop: () => stopped.push(scriptHash) };
      },
    },
    headers: {
      tip: { height: 5, hash: '' },
      rawAt: (height) => new Uint8Array(80).fill(height),
    },
  });
  const { signal } = new AbortController();
  let afterwards: (() => void)[] = [];
  const context: SessionContext = { session, signal, afterReply: (run) => afterwards.push(run) };
  const { handlers } = subscriptions;
  return {
    subscriptions,
    session,
    tell,
    stopped,
    notified,
    context,
    reply: () => {
      for (const run of afterwards) run();
      afterwards = [];
    },
    subscribe: async (scripthash) =>
      handlers['blockchain.scripthash.subscribe']({ scripthash }, context),
    unsubscribe: (scripthash) =>
      handlers['blockchain.scripthash.unsubscribe']({ scripthash }, context),
  };
}

test('a wallet is told the first status, and each that differs from what it knows', async () => {
  const { subscribe, reply, tell, notified } = wallet();
  assert.equal(await subscribe('a'), 'first');
  reply();
  for (const status of ['first', 'second', 'second', null]) tell.get('a')?.(status);
  assert.deepEqual(notified, [
    ['a', 'second'],
    ['a', null],
  ]);
});

test('a change before the reply is in the reply, and one right after it comes after it', async () => {
  let answer: Tell = () => undefined;
  const { subscribe, reply, tell, notified } = wallet(
    () => new Promise((resolve) => (answer = resolve)),
  );
  const status = subscribe('a');
  tell.get('a')?.('newer');
  answer('first');
  assert.equal(await status, 'newer');
  tell.get('a')?.('newest');
  assert.deepEqual(notified, []);
  reply();
  assert.deepEqual(notified, [['a', 'newest']]);
});

test('a script that is asked for twice is watched once', async () => {
  const { subscribe, reply, tell, stopped, unsubscribe } = wallet();
  await Promise.all([subscribe('a'), subscribe('a')]);
  reply();
  tell.get('a')?.('second');
  assert.equal(await subscribe('a'), 'second');
  assert.equal(unsubscribe('a'), true);
  assert.equal(unsubscribe('a'), false);
  assert.deepEqual(stopped, ['a']);
});

test('a wallet hears why a script cannot be watched, and may ask again', async () => {
  let works = false;
  const { subscribe } = wallet(() =>
    works
      ? Promise.resolve('first')
      : Promise.reject(new LookupError('no-answer', 'Nobody answers.', { culprit: NOBODY })),
  );
  await assert.rejects(
    subscribe('a'),
    (error) => error instanceof ElectrumRpcError && error.message === 'Nobody answers.',
  );
  works = true;
  assert.equal(await subscribe('a'), 'first');
});

test('only a wallet that has asked for headers is told of a block', () => {
  const { subscriptions, session, context, notified } = wallet();
  subscriptions.tellTip(session, { height: 6, hash: '' });
  assert.deepEqual(notified, []);
  const tip = subscriptions.handlers['blockchain.headers.subscribe']({}, context);
  assert.deepEqual(tip, { height: 5, hex: '05'.repeat(80) });
  subscriptions.tellTip(session, { height: 6, hash: '' });
  assert.deepEqual(notified, [[{ height: 6, hex: '06'.repeat(80) }]]);
});

test('when a wallet goes, nothing is watched for it any more', async () => {
  const { subscriptions, subscribe, stopped } = wallet();
  await Promise.all([subscribe('a'), subscribe('b')]);
  subscriptions.stop();
  assert.deepEqual(stopped, ['a', 'b']);
});
