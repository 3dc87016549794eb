import assert from 'node:assert/strict';
import { test } from 'vitest';
import { PATIENT, streamPair } from '../../test/relay-fixtures.ts';
import { helloOf } from './hello.ts';
import { LinkPlaces } from './link-places.ts';
import { Link } from './link.ts';

function enter(places: LinkPlaces, owner: { readonly links: number }): Link {
  const [stream] = streamPair();
  const link = new Link({
    stream,
    hello: helloOf({ network: 'regtest', capabilities: 0, consensus: undefined }),
    answers: true,
    clock: Date.now,
    timing: PATIENT,
    onFrame: () => undefined,
    onClose: () => {
      places.leave(link);
    },
  });
  places.enter(link, owner);
  return link;
}

const endedOf = (links: readonly Link[]): readonly boolean[] =>
  links.map(({ ended }) => ended !== undefined);

test('for one more than there are places, the link that was silent the longest ends', () => {
  const places = new LinkPlaces(3);
  const links = [enter(places, { links: 1 }), enter(places, { links: 1 })];
  for (const link of links) places.heard(link);
  links.push(enter(places, { links: 1 }));
  assert.deepEqual(endedOf(links), [false, false, false]);
  const [first] = links;
  assert.ok(first);
  places.heard(first);
  links.push(enter(places, { links: 1 }), enter(places, { links: 1 }));
  assert.deepEqual(endedOf(links), [false, true, true, false, false]);
});

test('one circuit with many links makes room before others with few, however busy it is', () => {
  const places = new LinkPlaces(3);
  const one = enter(places, { links: 1 });
  const many = { links: 16 };
  const flood = [enter(places, many), enter(places, many)];
  for (let count = 0; count < 20; count += 1) {
    for (const link of flood) places.heard(link);
    flood.push(enter(places, many));
  }
  assert.equal(one.ended, undefined);
  assert.deepEqual(endedOf(flood).slice(-3), [true, false, false]);
});

test('a link that has ended holds no place', () => {
  const places = new LinkPlaces(1);
  const link = enter(places, { links: 1 });
  link.close('closed', 'the end');
  places.heard(link);
  const [next, last] = [enter(places, { links: 1 }), enter(places, { links: 1 })];
  assert.deepEqual([next.ended?.code, last.ended], ['idle', undefined]);
});
