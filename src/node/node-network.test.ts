import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { fakeAuthority } from '../../test/fake-authority.ts';
import { testBond } from '../../test/test-bond.ts';
import {
  signedBy,
  TEST_TIME,
  testAuthorities,
  testConsensus,
  testDescriptorNote,
  testPolicy,
} from '../../test/test-directory.ts';
import { fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { silent } from '../base/log.ts';
import { parseDescriptor } from '../directory/descriptor.ts';
import { DIRECTORY_KINDS } from '../directory/directory-view.ts';
import { type Policy, renderPolicy } from '../directory/policy.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { waitUntil } from '../io/wait-until.ts';
import type { Taken } from '../relay/frame-payload.ts';
import { onionAddressOf } from '../tor/onion-address.ts';
import { openNodeNetwork } from './node-network.ts';
import type { Publication } from './publication.ts';
import { readPublication } from './publication-file.ts';

const AUTHORITIES = testAuthorities(3);
const consensus = testConsensus();
const note = testDescriptorNote('a');
const { digest, nodeId } = parseDescriptor(note);
const onionOf = (index: number) => ({
  host: onionAddressOf(AUTHORITIES[index]?.key.publicKey ?? new Uint8Array(32)),
  port: 50_010,
});

/** The third authority has no onion. */
const policy: Policy = {
  ...testPolicy(AUTHORITIES),
  authorities: testPolicy(AUTHORITIES).authorities.map((authority, index) =>
    index === 2 ? authority : { ...authority, onion: onionOf(index) },
  ),
};

/** A node of these three authorities, all of them the same fake one behind two onions. */
async function openIn(directory: string, takes: () => Taken, text = renderPolicy(policy)) {
  const brought: string[] = [];
  const authority = fakeAuthority({
    noteOf: (kind) =>
      kind === DIRECTORY_KINDS.latestConsensus ? utf8(signedBy(consensus, AUTHORITIES)) : undefined,
    take: ({ bytes }) => {
      brought.push(fromUtf8(bytes));
      return takes();
    },
  });
  const policyFile = join(directory, 'policy');
  writeFileSync(policyFile, text);
  const network = await openNodeNetwork({
    config: {
      network: 'regtest',
      dataDirectory: directory,
      makeKeys: true,
      listen: { host: '127.0.0.1', port: 1 },
      target: { host: '127.0.0.1', port: 1 },
      socks: { host: '127.0.0.1', port: 1 },
      expectProxyHeader: true,
      policyFile,
      leave: false,
      family: [],
      epochSeconds: 86_400,
      cellTimeoutMs: 1000,
    },
    nodeId,
    dial: authority.dial,
    chain: testBond({ nodeId }).chain,
    clock: () => TEST_TIME * 1000,
    log: silent,
  });
  return { network, brought, authority };
}

async function publicationIn(
  directory: string,
  isSo: (publication: Publication) => boolean,
): Promise<Publication> {
  const read = async (): Promise<Publication | undefined> => {
    const publication = await readPublication(directory);
    return publication && isSo(publication) ? publication : undefined;
  };
  return waitUntil(read, {
    what: 'the authorities to answer',
    timeoutMs: 3000,
    intervalMs: 10,
    signal: AbortSignal.timeout(4000),
  });
}

test('a node fetches its consensus from the authorities of its policy', async () => {
  await using directory = await makeTemporaryDirectory();
  const { network, authority } = await openIn(directory.path, () => ({
    verdict: 'taken',
    text: '',
  }));
  await using opened = network;
  await waitUntil(() => opened.directory.current(), {
    what: 'a consensus',
    timeoutMs: 3000,
    intervalMs: 10,
    signal: AbortSignal.timeout(4000),
  });
  assert.deepEqual(opened.directory.current()?.hash, consensus.hash);
  const hosts = authority.dialled.map((dialled) => dialled.split(':')[0]).sort();
  assert.deepEqual(hosts, [onionOf(0).host, onionOf(1).host].sort());
});

test('a descriptor is served, brought to each authority with an onion, and what they say is kept', async () => {
  await using directory = await makeTemporaryDirectory();
  const answers: Taken[] = [
    { verdict: 'taken', text: '' },
    { verdict: 'refused', text: 'onion-taken: another node is at this onion' },
  ];
  const { network, brought } = await openIn(
    directory.path,
    () => answers.shift() ?? { verdict: 'taken', text: '' },
  );
  await using opened = network;
  opened.publish(digest, utf8(note));
  assert.ok(opened.directory.noteOf(DIRECTORY_KINDS.descriptor, digest));
  const { path } = directory;
  const said = await publicationIn(path, (publication) => publication.answers.length === 2);
  assert.equal(said.descriptor, toHex(digest));
  assert.deepEqual(said.authorities, ['authority-1', 'authority-2']);
  assert.deepEqual(
    said.answers.map(({ verdict, reason }) => [verdict, reason]),
    [
      ['taken', ''],
      ['refused', 'onion-taken: another node is at this onion'],
    ],
  );
  assert.deepEqual(brought, [note, note]);
});

test('a policy of another network is told to the operator', async () => {
  await using directory = await makeTemporaryDirectory();
  const taken = (): Taken => ({ verdict: 'taken', text: '' });
  const other = renderPolicy({ ...policy, network: 'signet' });
  await assert.rejects(openIn(directory.path, taken, other), {
    name: 'UserError',
    message: /is for signet, not regtest$/,
  });
});
