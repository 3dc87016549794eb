import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { PATIENT, settle, streamPair } from '../../test/relay-fixtures.ts';
import { encodeHello } from './frame-payload.ts';
import { encodeFrame, type Frame, FrameDecoder } from './frame.ts';
import { helloOf } from './hello.ts';
import { Link, type LinkOptions } from './link.ts';

const HELLO = helloOf({ network: 'regtest', capabilities: 0, consensus: undefined });
const HELLO_FRAME = encodeFrame({ type: 'HELLO', id: 0, payload: encodeHello(HELLO) });
const quota = (id: number): Frame => ({ type: 'QUOTA', id, payload: new Uint8Array(10) });

interface Subject {
  readonly link: Link;
  readonly far: Duplex;
  readonly frames: Frame[];
}

function subject(options: Partial<LinkOptions> = {}): Subject {
  const [stream, far] = streamPair();
  const frames: Frame[] = [];
  const link = new Link({
    stream,
    hello: HELLO,
    answers: true,
    clock: Date.now,
    timing: PATIENT,
    onFrame: (frame) => frames.push(frame),
    ...options,
  });
  return { link, far, frames };
}

const codeOf = ({ ended }: Link): string | undefined => ended?.code;

test('both ends say HELLO first, and then frames pass in order, however they are cut', async () => {
  const { link, far, frames } = subject();
  const bytes = Buffer.concat([HELLO_FRAME, ...[1, 2, 3].map((id) => encodeFrame(quota(id)))]);
  for (let at = 0; at < bytes.length; at += 7) far.write(bytes.subarray(at, at + 7));
  link.send(quota(9));
  await settle();
  assert.deepEqual(
    frames.map(({ id }) => id),
    [1, 2, 3],
  );
  const said = new FrameDecoder().push(far.read() as Buffer);
  assert.deepEqual(
    said.map(({ type }) => type),
    ['HELLO', 'QUOTA'],
  );
});

test('frames of one turn of the event loop leave in one write', async () => {
  const { link, far } = subject();
  far.write(HELLO_FRAME);
  await settle();
  const writes: number[] = [];
  far.on('data', (chunk: Buffer) => writes.push(chunk.length));
  await settle();
  writes.length = 0;
  for (let id = 0; id < 50; id++) link.send(quota(id));
  await settle();
  assert.deepEqual(writes, [50 * 20]);
});

test('a link is closed by whatever is not HELLO at first and by a second HELLO', async () => {
  const early = subject();
  early.far.write(encodeFrame(quota(1)));
  await settle();
  assert.equal(early.link.ended?.code, 'protocol');
  assert.deepEqual(early.frames, []);

  const twice = subject();
  twice.far.write(Buffer.concat([HELLO_FRAME, HELLO_FRAME]));
  await settle();
  assert.equal(twice.link.ended?.code, 'protocol');
  assert.equal(twice.far.destroyed, true);
});

test('a peer of another network is refused', async () => {
  const { link, far } = subject();
  const mainnet = helloOf({ network: 'mainnet', capabilities: 0, consensus: undefined });
  far.write(encodeFrame({ type: 'HELLO', id: 0, payload: encodeHello(mainnet) }));
  await settle();
  assert.equal(link.ended?.code, 'hello');
});

test('what is not a frame, and a frame the owner refuses, close the link and destroy its stream', async () => {
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\n'),
    Buffer.alloc(100),
    Buffer.alloc(100, 255),
    Buffer.from('0000081a0102', 'hex'),
    Buffer.concat([HELLO_FRAME, Buffer.from('00000011010a000000010000000000', 'hex')]),
  ]) {
    const { link, far } = subject();
    far.write(bytes);
    await settle();
    assert.equal(link.ended?.code ?? 'open', bytes.length < 10 ? 'open' : 'protocol');
  }
  const refusing = subject({
    onFrame: () => {
      throw new RangeError('not here');
    },
  });
  refusing.far.write(Buffer.concat([HELLO_FRAME, encodeFrame(quota(1))]));
  await settle();
  assert.equal(refusing.link.ended?.code, 'protocol');
  assert.ok(refusing.link.ended.cause instanceof RangeError);
});

test('a peer that is silent at first, idle later or half-way through a frame is let go', async () => {
  const silentPeer = subject({ timing: { ...PATIENT, helloMs: 10 } });
  silentPeer.far.write(HELLO_FRAME.subarray(0, 30));
  await sleep(20);
  assert.equal(silentPeer.link.ended?.code, 'hello');

  const idle = subject({ timing: { ...PATIENT, idleMs: 30 } });
  idle.far.write(HELLO_FRAME);
  await sleep(20);
  idle.far.write(encodeFrame(quota(1)));
  await sleep(20);
  assert.equal(codeOf(idle.link), undefined, 'a frame came in between');
  idle.far.write(encodeFrame(quota(1)).subarray(0, 5));
  await sleep(40);
  assert.equal(codeOf(idle.link), 'idle', 'half a frame is none');

  const warm = subject({ timing: { ...PATIENT, idleMs: 10 } });
  warm.far.write(HELLO_FRAME);
  await settle();
  warm.link.stayWarm();
  await sleep(20);
  assert.equal(warm.link.ended, undefined);
});

test('the end of the stream is the end of the link, told once', async () => {
  let ends = 0;
  const { link, far } = subject({ onClose: () => (ends += 1) });
  far.write(HELLO_FRAME);
  far.end();
  await settle();
  assert.equal(link.ended?.code, 'closed');
  const { ended } = link;
  link.close('flood', 'again');
  assert.equal(link.ended, ended);
  link.send(quota(1));
  link.sendLong([HELLO_FRAME].values());
  await settle();
  assert.equal(ends, 1);
});

test('an end that answers takes no more questions while its answers are not read', async () => {
  const answer = { type: 'BACK', payload: new Uint8Array(4104) } as const;
  let asked = 0;
  const { link, far } = subject({
    onFrame: ({ id }) => {
      asked += 1;
      link.send({ ...answer, id });
    },
  });
  const questions = Buffer.concat(Array.from({ length: 1_000 }, (_, id) => encodeFrame(quota(id))));
  far.write(Buffer.concat([HELLO_FRAME, questions]));
  await settle();
  const askedUnread = asked;
  assert.ok(askedUnread < 200, `${askedUnread} answers wait`);
  const decoder = new FrameDecoder();
  let answered = 0;
  far.on('data', (chunk: Buffer) => (answered += decoder.push(chunk).length));
  await settle(400);
  assert.equal(asked, 1_000);
  assert.equal(answered, 1_001, 'HELLO and all answers');
});

test('a peer that never reads is let go', async () => {
  const { link, far } = subject({ timing: { ...PATIENT, stallMs: 20 } });
  far.write(HELLO_FRAME);
  for (let id = 0; id < 100; id++) link.send({ type: 'BACK', id, payload: new Uint8Array(4104) });
  await sleep(40);
  assert.equal(link.ended?.code, 'stalled');
});

test('a long answer is made as it is read, and does not hold back short ones', async () => {
  const { link, far } = subject();
  far.write(HELLO_FRAME);
  await settle();
  let made = 0;
  function* frames(): Generator<Uint8Array> {
    for (; made < 1_000; made++) {
      yield encodeFrame({ type: 'BACK', id: 1, payload: new Uint8Array(4104) });
    }
  }
  link.sendLong(frames());
  await settle();
  const madeUnread = made;
  assert.ok(madeUnread < 100, `${madeUnread} frames made and not read`);
  link.send(quota(2));
  const decoder = new FrameDecoder();
  const ids: number[] = [];
  far.on('data', (chunk: Buffer) => ids.push(...decoder.push(chunk).map(({ id }) => id)));
  await settle(1_000);
  assert.equal(ids.length, 1_002);
  assert.ok(ids.indexOf(2) < 200, 'the short answer came in between');
});

test('between two long answers others have a turn, however short they are', async () => {
  const { link, far } = subject();
  far.write(HELLO_FRAME);
  await settle();
  const turns: number[] = [];
  let turn = 0;
  const count = (): void => {
    turn += 1;
    if (turn < 50) setImmediate(count);
  };
  function* answer(): Generator<Uint8Array> {
    turns.push(turn);
    if (turns.length % 2 === 0) yield HELLO_FRAME;
  }
  for (let index = 0; index < 8; index++) link.sendLong(answer());
  setImmediate(count);
  far.resume();
  await settle(100);
  assert.equal(turns.length, 8);
  assert.equal(new Set(turns).size, 8, turns.join(' '));
});

test('too many long answers at once, or one that cannot be made, close the link', async () => {
  const flooded = subject();
  for (let index = 0; index < 100; index++) flooded.link.sendLong([HELLO_FRAME].values());
  assert.equal(flooded.link.ended?.code, 'flood');

  const broken = subject();
  function* failing(): Generator<Uint8Array> {
    yield HELLO_FRAME;
    throw new Error('no headers');
  }
  broken.link.sendLong(failing());
  await settle();
  assert.equal(broken.link.ended?.code, 'closed');
});
