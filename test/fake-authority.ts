import { Link } from '../src/relay/link.ts';
import { type DirectoryKind } from '../src/directory/directory-view.ts';
import type { Dial } from '../src/io/dial.ts';
import { PART_BYTES } from '../src/relay/limits.ts';
import {
  decodeDirectoryGet,
  encodePart,
  encodeTaken,
  type Taken,
} from '../src/relay/frame-payload.ts';
import { helloOf } from '../src/relay/hello.ts';
import { type Put, PutParts } from '../src/relay/put-parts.ts';
import { PATIENT, streamPair } from './relay-fixtures.ts';

export interface FakeAuthorityOptions {
  readonly noteOf: (kind: DirectoryKind, digest: Uint8Array) => Uint8Array | undefined;
  readonly take: (put: Put) => Taken;
}

export interface FakeAuthority {
  /** Every dial leads to this authority. */
  readonly dial: Dial;
  /** Address and isolation word of each dial. */
  readonly dialled: readonly string[];
  /** Resolves when all links that there were have ended. */
  ended(): Promise<unknown>;
}

/** The frames of an authority, without what is behind them. */
export function fakeAuthority({ noteOf, take }: FakeAuthorityOptions): FakeAuthority {
  const dialled: string[] = [];
  const ends: Promise<unknown>[] = [];
  const dial: Dial = ({ host, port }, { isolation }) => {
    dialled.push(`${host}:${port} ${isolation}`);
    const [near, stream] = streamPair();
    const parts = new PutParts();
    const ended = new Promise((resolve) => {
      const link: Link = new Link({
        stream,
        hello: helloOf({ network: 'regtest', capabilities: 0, consensus: undefined }),
        answers: true,
        clock: Date.now,
        timing: PATIENT,
        onClose: resolve,
        onFrame: (frame) => {
          const { id, type, payload } = frame;
          if (type === 'DIRECTORY_GET') {
            const { kind, digest } = decodeDirectoryGet(payload);
            for (const part of partsOf(noteOf(kind, digest) ?? new Uint8Array())) {
              link.send({ type: 'DIRECTORY_DATA', id, payload: part });
            }
            return;
          }
          const put = parts.take(frame);
          if (put !== undefined) {
            link.send({ type: 'DIRECTORY_TAKEN', id, payload: encodeTaken(take(put)) });
          }
        },
      });
    });
    ends.push(ended);
    return Promise.resolve(near);
  };
  return { dial, dialled, ended: () => Promise.all(ends) };
}

function partsOf(bytes: Uint8Array): Uint8Array[] {
  const of = Math.ceil(bytes.length / PART_BYTES);
  return Array.from({ length: Math.max(of, 1) }, (_, part) =>
    encodePart({ part, of, data: bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES) }),
  );
}
