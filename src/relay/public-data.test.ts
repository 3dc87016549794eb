import assert from 'node:assert/strict';
import { test } from 'vitest';
import { encodeDirectoryGet, encodeHeadersGet } from './frame-payload.ts';
import { type Frame, FrameDecoder } from './frame.ts';
import { LinkError } from './link-error.ts';
import { directoryFrames, headersFrames, type PublicData } from './public-data.ts';
import { TokenBucket } from './token-bucket.ts';

const DIGEST = new Uint8Array(32);
const GET: Frame = {
  type: 'DIRECTORY_GET',
  id: 7,
  payload: encodeDirectoryGet({ kind: 0, digest: DIGEST }),
};
const HEADERS_GET: Frame = {
  type: 'HEADERS_GET',
  id: 8,
  payload: encodeHeadersGet({ start: 0, count: 3 }),
};

function shareOf(burst: number): TokenBucket {
  return new TokenBucket({ perSecond: 0, burst, clock: () => 0 });
}

function left(share: TokenBucket): number {
  let bytes = 0;
  for (let step = 2 ** 20; step >= 1; step /= 2) if (share.take(step)) bytes += step;
  return bytes;
}

function serving(note: Uint8Array | undefined): PublicData & { asked: number } {
  const data = {
    asked: 0,
    directory: {
      current: () => undefined,
      noteOf: () => {
        data.asked += 1;
        return note;
      },
    },
    headers: (_start: number, count: number) => {
      data.asked += 1;
      return new Uint8Array(80 * count);
    },
  };
  return data;
}

function whole(frames: Iterable<Uint8Array>): readonly Frame[] {
  const decoder = new FrameDecoder();
  return [...frames].flatMap((bytes) => decoder.push(bytes));
}

test('a note is asked for when it is its turn, once, and comes in parts', () => {
  const data = serving(new Uint8Array(9000));
  const frames = directoryFrames(data, GET, shareOf(100_000));
  assert.equal(data.asked, 0);
  const lengths = whole(frames).map(({ id, payload }) => [id, payload.length]);
  assert.deepEqual(lengths, [
    [7, 4068],
    [7, 4068],
    [7, 876],
  ]);
  assert.equal(data.asked, 1);
});

test('who takes only the first part has paid for the whole, and for the question', () => {
  const share = shareOf(100_000);
  directoryFrames(serving(new Uint8Array(9000)), GET, share).next();
  assert.equal(left(share), 100_000 - 4096 - 9000);
});

test('a question costs though there is no answer, and nothing is looked for without a share', () => {
  const share = shareOf(3 * 4096);
  const data = serving(undefined);
  for (let count = 0; count < 3; count++) {
    assert.deepEqual(
      whole(directoryFrames(data, GET, share)).map(({ payload }) => payload.length),
      [4],
    );
  }
  assert.throws(() => directoryFrames(data, GET, share).next(), LinkError);
  assert.throws(() => headersFrames(data, HEADERS_GET, share).next(), LinkError);
  assert.equal(data.asked, 3);
});

test('nothing of an answer leaves that the share does not hold', () => {
  const data = serving(new Uint8Array(9000));
  assert.throws(() => directoryFrames(data, GET, shareOf(10_000)).next(), LinkError);
  const share = shareOf(4096 + 240);
  const [headers] = whole(headersFrames(data, HEADERS_GET, share));
  assert.equal(headers?.payload.length, 240);
  assert.equal(left(share), 0);
});
