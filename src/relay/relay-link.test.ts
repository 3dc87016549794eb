import assert from 'node:assert/strict';
import { test } from 'vitest';
import { concatBytes } from '../base/bytes.ts';
import {
  settle,
  streamPair,
  type TestPeer,
  testPeer,
  type TestPeerOptions,
} from '../../test/relay-fixtures.ts';
import {
  decodeForward,
  decodeHeadersGet,
  decodePut,
  encodeAnswer,
  encodePart,
  encodeTaken,
  PUT_KINDS,
} from './frame-payload.ts';
import type { Frame } from './frame.ts';
import { LinkError, type LinkErrorCode } from './link-error.ts';
import type { Link } from './link.ts';
import { connectRelay, type RelayLink, type RelayLinkLimits } from './relay-link.ts';

const NODE_ID = '0f'.repeat(16);
const CELL = new Uint8Array(2048).fill(3);
const never = new AbortController().signal;
const failsWith =
  (code: LinkErrorCode) =>
  (error: unknown): boolean =>
    error instanceof LinkError && error.code === code;

interface Subject {
  readonly link: RelayLink;
  readonly relay: TestPeer;
}

/** A link to a relay that answers as `onFrame` says. */
async function subject(
  onFrame?: TestPeerOptions['onFrame'],
  limits: Partial<RelayLinkLimits> = {},
): Promise<Subject> {
  const [stream, far] = streamPair();
  const relay = testPeer(far, onFrame === undefined ? {} : { onFrame });
  const link = await connectRelay({
    stream,
    network: 'regtest',
    clock: Date.now,
    signal: never,
    limits,
  });
  return { link, relay };
}

const forward = (link: RelayLink, signal = never): ReturnType<RelayLink['forward']> =>
  link.forward({ nodeId: NODE_ID, cell: CELL, signal });

const back = (id: number, fill: number): Frame => ({
  type: 'BACK',
  id,
  payload: encodeAnswer({ status: 'OK', body: new Uint8Array(4096).fill(fill) }),
});

test('answers reach those who asked, in whatever order they come', async () => {
  const asked: Frame[] = [];
  const { link } = await subject((frame, relay) => {
    asked.push(frame);
    if (asked.length < 3) return;
    for (const [fill, { id }] of asked.toReversed().entries()) relay.send(back(id, fill));
  });
  const answers = await Promise.all([forward(link), forward(link), forward(link)]);
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body[0]]),
    [
      ['OK', 2],
      ['OK', 1],
      ['OK', 0],
    ],
  );
  const { nodeId, release, cell } = decodeForward(asked[0]?.payload ?? new Uint8Array());
  assert.deepEqual([nodeId, release, cell], [NODE_ID, 0, CELL]);
});

test('headers and notes come whole; a note that is not held is empty', async () => {
  const note = new Uint8Array(10_000).map((_, index) => index);
  const { link } = await subject(({ type, id, payload }, relay) => {
    if (type === 'HEADERS_GET') {
      const { count } = decodeHeadersGet(payload);
      relay.send({ type: 'HEADERS', id, payload: new Uint8Array((count - 1) * 80) });
      return;
    }
    const of = payload[0] === 0 ? 3 : 0;
    for (let part = 0; part < Math.max(of, 1); part++) {
      const data = of === 0 ? new Uint8Array() : note.subarray(part * 4064, (part + 1) * 4064);
      relay.send({ type: 'DIRECTORY_DATA', id, payload: encodePart({ part, of, data }) });
    }
  });
  assert.equal((await link.headers(0, 2016, { signal: never })).length, 2015 * 80);
  assert.deepEqual(await link.directory(0, new Uint8Array(32), { signal: never }), note);
  const unheld = await link.directory(2, new Uint8Array(32).fill(1), { signal: never });
  assert.equal(unheld.length, 0);
});

test('a note of more parts than was allowed for ends the link with its first part', async () => {
  const { link } = await subject(({ id }, relay) => {
    const payload = encodePart({ part: 0, of: 3, data: new Uint8Array(4064) });
    relay.send({ type: 'DIRECTORY_DATA', id, payload });
  });
  const asked = link.directory(2, new Uint8Array(32), { signal: never, maxBytes: 8192 - 64 });
  await assert.rejects(asked, failsWith('protocol'));
});

test('what is put leaves whole, in parts under one id, and its verdict comes back', async () => {
  const parts: Frame[] = [];
  const { link } = await subject((frame, authority) => {
    parts.push(frame);
    if (parts.length < 3) return;
    const payload = encodeTaken({ verdict: 'later', text: 'unreachable: its onion' });
    authority.send({ type: 'DIRECTORY_TAKEN', id: frame.id, payload });
  });
  const note = new Uint8Array(10_000).map((_, index) => index);
  const taken = await link.put(PUT_KINDS.bond, note, { signal: never });
  assert.deepEqual(taken, { verdict: 'later', text: 'unreachable: its onion' });
  assert.equal(new Set(parts.map(({ id }) => id)).size, 1);
  const said = parts.map(({ payload }) => decodePut(payload));
  assert.deepEqual(
    said.map(({ kind, part, of }) => [kind, part, of]),
    [0, 1, 2].map((part) => [PUT_KINDS.bond, part, 3]),
  );
  assert.deepEqual(concatBytes(...said.map(({ data }) => data)), note);
});

test('nothing, and more than 64 KiB, cannot be put', async () => {
  const { link } = await subject();
  for (const length of [0, 65_537]) {
    const put = async (): Promise<unknown> =>
      link.put(PUT_KINDS.evidence, new Uint8Array(length), { signal: never });
    await assert.rejects(put, RangeError);
  }
});

test('what nobody asked for, of the wrong type, too much or out of order ends the link and every request', async () => {
  const part = (id: number, [index, of]: [number, number]): Frame => ({
    type: 'DIRECTORY_DATA',
    id,
    payload: encodePart({ part: index, of, data: new Uint8Array(index === of - 1 ? 1 : 4064) }),
  });
  const attacks: ((frame: Frame, relay: Link) => void)[] = [
    ({ id }, relay) => {
      relay.send(back((id + 1) >>> 0, 0));
    },
    ({ id }, relay) => {
      relay.send({ type: 'OUT', id, payload: back(id, 0).payload });
    },
    ({ id }, relay) => {
      relay.send({ type: 'HEADERS', id, payload: new Uint8Array(3 * 80) });
    },
    ({ id }, relay) => {
      relay.send(part(id, [1, 3]));
    },
    ({ id }, relay) => {
      relay.send(part(id, [0, 3]));
      relay.send(part(id, [0, 3]));
    },
    ({ id }, relay) => {
      relay.send(part(id, [0, 3]));
      relay.send(part(id, [1, 4]));
    },
    ({ id }, relay) => {
      relay.send({ type: 'QUOTA', id, payload: new Uint8Array(10) });
    },
    (_, relay) => {
      relay.close('closed', 'gone');
    },
    ({ id }, relay) => {
      const payload = Uint8Array.from(back(id, 0).payload);
      payload[3] = 1;
      relay.send({ type: 'BACK', id, payload });
    },
  ];
  const requests: ((link: RelayLink) => Promise<unknown>)[] = [
    (link) => forward(link),
    (link) => link.headers(5, 2, { signal: never }),
    (link) => link.directory(1, new Uint8Array(32), { signal: never }),
  ];
  for (const attack of attacks) {
    for (const request of requests) {
      const { link } = await subject(attack);
      const [result] = await Promise.allSettled([request(link)]);
      assert.equal(result.status, 'rejected');
      assert.ok(result.reason instanceof LinkError);
      assert.ok(['protocol', 'closed'].includes(result.reason.code), result.reason.code);
      assert.equal((await link.closed).code, result.reason.code);
      await assert.rejects(forward(link), LinkError);
    }
  }
});

test('each request has its time, and its late answer is dropped', async () => {
  const asked: Frame[] = [];
  const { link, relay } = await subject((frame) => asked.push(frame), {
    forwardMs: 20,
    headersMs: 20,
    directoryMs: 20,
  });
  await Promise.all([
    assert.rejects(forward(link), failsWith('no-answer')),
    assert.rejects(link.headers(0, 1, { signal: never }), failsWith('no-answer')),
    assert.rejects(
      link.directory(0, new Uint8Array(32), { signal: never }),
      failsWith('no-answer'),
    ),
  ]);
  const id = asked.find(({ type }) => type === 'FORWARD')?.id ?? 0;
  relay.link.send(back(id, 0));
  await settle();
  const next = forward(link);
  await settle();
  relay.link.send(back(asked.at(-1)?.id ?? 0, 8));
  assert.equal((await next).body[0], 8);
  relay.link.send(back(id, 0));
  assert.equal((await link.closed).code, 'protocol', 'an answer comes once');
});

test('an aborted request rejects with the reason, before it is sent too', async () => {
  const { link, relay } = await subject();
  const abort = new AbortController();
  const running = forward(link, abort.signal);
  const reason = new Error('no longer wanted');
  abort.abort(reason);
  await assert.rejects(running, reason);
  await assert.rejects(forward(link, abort.signal), reason);
  await assert.rejects(link.headers(0, 1, { signal: abort.signal }), reason);
  await settle();
  assert.ok(relay.frames.length <= 1);
});

test('no more than 64 cells are in flight, and those that wait go when there is room', async () => {
  const asked: number[] = [];
  const { link, relay } = await subject(({ id }) => asked.push(id));
  const answers = Array.from({ length: 70 }, () => forward(link));
  await settle();
  assert.equal(asked.length, 64);
  for (let index = 0; index < 70; index++) {
    relay.link.send(back(asked[index] ?? 0, 0));
    await settle(4);
  }
  await Promise.all(answers);
});

test('a relay that answers nothing is let go, whatever is asked of it', async () => {
  const { link } = await subject(undefined, { headersMs: 10, unanswered: 5 });
  const asked = Array.from({ length: 10 }, () => link.headers(0, 1, { signal: never }));
  const results = await Promise.allSettled(asked);
  assert.ok(results.every(({ status }) => status === 'rejected'));
  assert.equal((await link.closed).code, 'no-answer');
});

test('a link over which nothing comes any more is given up, and not for one answer that is missing', async () => {
  let now = 0;
  let answers = true;
  const [stream, far] = streamPair();
  testPeer(far, {
    onFrame: ({ id }, relay) => {
      if (answers && id % 2 === 0) relay.send(back(id, 1));
    },
  });
  const link = await connectRelay({
    stream,
    network: 'regtest',
    clock: () => now,
    signal: never,
    limits: { silentMs: 1_000 },
  });
  const givenUpAt = async (time: number): Promise<void> => {
    const stop = new AbortController();
    const asked = forward(link, stop.signal);
    await settle();
    now = time;
    stop.abort(new Error('no time left'));
    await assert.rejects(asked);
  };
  await givenUpAt(900);
  await forward(link);
  await givenUpAt(1_500);
  answers = false;
  await givenUpAt(1_890);
  assert.equal((await Promise.race([link.closed, settle()]))?.code, undefined);
  await givenUpAt(1_900);
  assert.equal((await link.closed).code, 'no-answer');
});

test('connecting fails when the relay says no HELLO, another network’s, or is aborted', async () => {
  const connect = (options: {
    signal?: AbortSignal;
    peer?: TestPeerOptions;
  }): Promise<RelayLink> => {
    const [stream, far] = streamPair();
    if (options.peer !== undefined) testPeer(far, options.peer);
    return connectRelay({
      stream,
      network: 'regtest',
      clock: Date.now,
      signal: options.signal ?? never,
      limits: { timing: { helloMs: 20, idleMs: Infinity, stallMs: 1_000 } },
    });
  };
  await assert.rejects(connect({}), failsWith('hello'));
  await assert.rejects(connect({ peer: { network: 'mainnet' } }), LinkError);
  const reason = new Error('stop');
  await assert.rejects(connect({ signal: AbortSignal.abort(reason) }), reason);
  const abort = new AbortController();
  const connecting = connect({ signal: abort.signal });
  abort.abort(reason);
  await assert.rejects(connecting, reason);
});

test('disposing ends the link and its requests', async () => {
  const { link, relay } = await subject();
  const running = forward(link);
  await settle();
  await link[Symbol.asyncDispose]();
  await assert.rejects(running, failsWith('closed'));
  assert.equal((await relay.ended).code, 'closed');
});
