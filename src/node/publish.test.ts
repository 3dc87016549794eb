import assert from 'node:assert/strict';
import { test } from 'vitest';
import { fromUtf8, utf8 } from '../base/bytes.ts';
import { silent } from '../base/log.ts';
import { waitUntil } from '../io/wait-until.ts';
import { PUT_KINDS, type Taken } from '../relay/frame-payload.ts';
import type { DirectoryPeer } from './directory-peer.ts';
import type { AuthorityAnswer } from './publication.ts';
import { startPublisher } from './publish.ts';

const TAKEN: Taken = { verdict: 'taken', text: '' };
const REFUSED: Taken = { verdict: 'refused', text: 'onion-taken: another node is at this onion' };
const LATER: Taken = { verdict: 'later', text: 'full: no more nodes are taken' };

interface FakeAuthority extends DirectoryPeer {
  readonly brought: string[];
}

/** An authority that says one thing after the other, the last one for ever. */
function authority(name: string, ...says: readonly (Taken | Error)[]): FakeAuthority {
  const brought: string[] = [];
  return {
    name,
    brought,
    fetch: () => Promise.resolve(new Uint8Array()),
    put: (kind, bytes) => {
      assert.ok(kind === PUT_KINDS.descriptor || kind === PUT_KINDS.bond);
      const answer = says[Math.min(brought.length, says.length - 1)] ?? TAKEN;
      brought.push(kind === PUT_KINDS.bond ? `bond ${fromUtf8(bytes)}` : fromUtf8(bytes));
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
}

function publisherTo(authorities: readonly DirectoryPeer[]) {
  const answers: AuthorityAnswer[] = [];
  const publisher = startPublisher({
    authorities,
    clock: () => 1_800_000_000_000,
    log: silent,
    onAnswer: (answer) => answers.push(answer),
    waitMs: { first: 2, last: 8 },
  });
  const until = (isSo: () => boolean): Promise<unknown> =>
    waitUntil(() => isSo() || undefined, {
      what: 'the authorities to answer',
      timeoutMs: 3000,
      intervalMs: 2,
      signal: AbortSignal.timeout(4000),
    });
  return { publisher, answers, until };
}

test('a descriptor is brought to every authority once when each takes it', async () => {
  const authorities = [authority('a'), authority('b')];
  const { publisher, answers, until } = publisherTo(authorities);
  await using started = publisher;
  started.publish({ descriptor: utf8('one') });
  await until(() => answers.length === 2);
  await until(() => true);
  for (const { name, brought } of authorities) {
    assert.deepEqual(brought, ['one']);
    assert.deepEqual(
      answers.find((answer) => answer.authority === name),
      { authority: name, verdict: 'taken', reason: '', at: 1_800_000_000 },
    );
  }
});

test('an authority that is away, or cannot now, is tried again until it takes it', async () => {
  const away = authority('a', new Error('cannot reach it'), LATER, LATER, TAKEN);
  const { publisher, answers, until } = publisherTo([away]);
  await using started = publisher;
  started.publish({ descriptor: utf8('one') });
  await until(() => answers.at(-1)?.verdict === 'taken');
  assert.deepEqual(
    answers.map(({ verdict, reason }) => [verdict, reason]),
    [
      ['unreached', 'cannot reach it'],
      ['later', LATER.text],
      ['later', LATER.text],
      ['taken', ''],
    ],
  );
});

test('what is refused is told with its code and not brought again, but the next one is', async () => {
  const strict = authority('a', REFUSED, TAKEN);
  const { publisher, answers, until } = publisherTo([strict]);
  await using started = publisher;
  started.publish({ descriptor: utf8('one') });
  await until(() => answers.length === 1);
  assert.deepEqual([answers[0]?.verdict, answers[0]?.reason], ['refused', REFUSED.text]);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual(strict.brought, ['one']);
  started.publish({ descriptor: utf8('two') });
  await until(() => answers.length === 2);
  assert.deepEqual(strict.brought, ['one', 'two']);
});

test('a new descriptor takes the place of one that waits, at once', async () => {
  const away = authority('a', new Error('cannot reach it'), TAKEN);
  await using patient = startPublisher({
    authorities: [away],
    clock: Date.now,
    log: silent,
    onAnswer: () => undefined,
    waitMs: { first: 60_000, last: 60_000 },
  });
  const { until } = publisherTo([]);
  patient.publish({ descriptor: utf8('one') });
  await until(() => away.brought.length === 1);
  patient.publish({ descriptor: utf8('two') });
  await until(() => away.brought.length === 2);
  assert.deepEqual(away.brought, ['one', 'two']);
});

test('a publisher stops while an authority does not answer', async () => {
  let aborted = false;
  const silence: DirectoryPeer = {
    name: 'a',
    fetch: () => Promise.resolve(new Uint8Array()),
    put: (_kind, _bytes, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(signal.reason as Error);
        });
      }),
  };
  const { publisher, answers } = publisherTo([silence]);
  publisher.publish({ descriptor: utf8('one') });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await publisher[Symbol.asyncDispose]();
  assert.ok(aborted);
  assert.deepEqual(answers, []);
});

test('a bond is brought before the descriptor that names it, and both again until both are taken', async () => {
  const unproved: Taken = { verdict: 'refused', text: 'bond-unproved: not in the block' };
  const busy = authority('a', TAKEN, LATER, LATER, TAKEN, TAKEN);
  const strict = authority('b', unproved, TAKEN);
  const { publisher, answers, until } = publisherTo([busy, strict]);
  await using started = publisher;
  started.publish({ descriptor: utf8('one'), bond: utf8('p') });
  await until(() => answers.filter(({ verdict }) => verdict !== 'later').length === 2);
  const both = ['bond p', 'one'];
  assert.deepEqual(busy.brought, [...both, ...both, ...both]);
  assert.deepEqual(strict.brought, both);
  const said = answers.find((answer) => answer.authority === 'b');
  assert.deepEqual([said?.verdict, said?.reason], ['refused', unproved.text]);
});

test('why a descriptor is refused is told before why its bond is', async () => {
  const strict = authority('a', { verdict: 'refused', text: 'bond-unproved: no' }, REFUSED);
  const { publisher, answers, until } = publisherTo([strict]);
  await using started = publisher;
  started.publish({ descriptor: utf8('one'), bond: utf8('p') });
  await until(() => answers.length === 1);
  assert.equal(answers[0]?.reason, REFUSED.text);
});
