import assert from 'node:assert/strict';
import { test } from 'vitest';
import { streamPair, testPeer } from '../../test/relay-fixtures.ts';
import { testDescriptor, testDescriptorNote } from '../../test/test-directory.ts';
import { utf8 } from '../base/bytes.ts';
import { DIRECTORY_KINDS } from '../directory/directory-view.ts';
import { type Address, type Dial } from '../io/dial.ts';
import { decodeDirectoryGet, encodePart } from '../relay/frame-payload.ts';
import { askNode } from './ask-node.ts';

const { signal } = new AbortController();
const descriptor = testDescriptor('a');

/** A node whose answer to the question is this. */
function nodeWith(note: Uint8Array, dialled: Address[] = []): Dial {
  return (address) => {
    dialled.push(address);
    const [stream, far] = streamPair();
    testPeer(far, {
      onFrame: ({ id, payload }, link) => {
        const { kind, digest } = decodeDirectoryGet(payload);
        assert.equal(kind, DIRECTORY_KINDS.descriptor);
        assert.deepEqual(new Uint8Array(digest), descriptor.digest);
        const part = { part: 0, of: note.length === 0 ? 0 : 1, data: note };
        link.send({ type: 'DIRECTORY_DATA', id, payload: encodePart(part) });
      },
    });
    return Promise.resolve(stream);
  };
}

const ask = (dial: Dial): Promise<void> =>
  askNode(descriptor, { dial, network: 'regtest', clock: Date.now }, signal);

test('a node that shows its own descriptor at its onion is there', async () => {
  const dialled: Address[] = [];
  await ask(nodeWith(utf8(testDescriptorNote('a')), dialled));
  assert.deepEqual(dialled, [descriptor.onion]);
});

test('one that shows another, or nothing, or noise, is not', async () => {
  await assert.rejects(ask(nodeWith(utf8(testDescriptorNote('b')))), /another text/);
  await assert.rejects(ask(nodeWith(new Uint8Array(0))), /does not have/);
  await assert.rejects(ask(nodeWith(utf8('noise'))), { name: 'DirectoryError' });
  await assert.rejects(
    ask(() => Promise.reject(new Error('no way there'))),
    /no way there/,
  );
});
