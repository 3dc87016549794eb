import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { startAuthorityServer } from '../src/authority/authority-server.ts';
import { fromUtf8, utf8 } from '../src/base/bytes.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { checkFollows } from '../src/directory/accept-consensus.ts';
import { nodeIdOf, type NodeId } from '../src/directory/node-id.ts';
import { signingKeyFromSeed } from '../src/directory/signing-key.ts';
import type { Dial } from '../src/io/dial.ts';
import type { TcpServer } from '../src/io/listen.ts';
import { socksDial } from '../src/io/socks-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { onionKeyFromSeed } from '../src/tor/onion-key.ts';
import {
  type AuthorityProcess,
  AuthorityProcesses,
  bring,
  descriptorOf,
  sotto,
} from './authority-processes.ts';
import { startOnionMap } from './onion-map.ts';
import { testSeed } from './test-directory.ts';

/** A slot every 12 s; a round of five authorities is a second long. */
const TIMELINE = { periodSeconds: 12, validSeconds: 120, voteSeconds: 5, signSeconds: 2 };

let scope: Scope;
let directory: string;
let dial: Dial;
let notes: Map<string, Uint8Array>;

beforeEach(async () => {
  scope = new Scope();
  notes = new Map();
  directory = scope.use(await makeTemporaryDirectory()).path;
});
afterEach(() => scope[Symbol.asyncDispose]());

const nodeIdOfName = (name: string): NodeId =>
  nodeIdOf(signingKeyFromSeed(testSeed(`identity ${name}`)).publicKey);

async function found(count: number): Promise<AuthorityProcesses> {
  const authorities = await AuthorityProcesses.found({
    count,
    directory,
    timeline: TIMELINE,
    expectProxyHeader: false,
    async connect(places) {
      const ports = new Map(places.map(({ onion, listen }) => [onion.host, listen.port]));
      const node = scope.use(await startNode('a'));
      ports.set(onionKeyFromSeed(testSeed('onion a')).address, node.port);
      const socks = scope.use(await startOnionMap(ports));
      dial = socksDial(socks);
      return places.map(() => socks);
    },
  });
  return scope.use(authorities);
}

/** As much of a node as an authority looks for: it shows its descriptor. */
function startNode(name: string): Promise<TcpServer> {
  const note = utf8(descriptorOf(name, 'stays'));
  notes.set(name, note);
  return startAuthorityServer({
    listen: { host: '127.0.0.1', port: 0 },
    network: 'regtest',
    expectProxyHeader: false,
    directory: { current: () => undefined, noteOf: () => note },
    take: () => Promise.reject(new Error('it is a node')),
    clock: Date.now,
    log: silent,
  });
}

async function allTake(authorities: readonly AuthorityProcess[], note: string): Promise<void> {
  for (const { place } of authorities) {
    assert.deepEqual(await bring(place, note, dial), { verdict: 'taken', text: '' });
  }
}

test('five authorities agree slot after slot, two of them killed and started again, on nodes that come and go', async () => {
  const authorities = await found(5);
  const { all } = authorities;
  await Promise.all(all.map((each) => each.start()));
  await allTake(all, fromUtf8(notes.get('a') ?? new Uint8Array()));
  await allTake(all, descriptorOf('b', 'stays'));
  const first = await authorities.agreed(all, { after: 0, nodes: 2, dial });
  assert.deepEqual(first.params, new Map([['mix-ms', 500]]));

  const [one, two, ...three] = all;
  assert.ok(one && two);
  await Promise.all([one, two].map((each) => each.end('SIGKILL')));
  const second = await authorities.agreed(three, { after: first.epoch, nodes: 2, dial });
  checkFollows(second, first);
  const isRunning = (name: string): boolean | undefined =>
    second.node(nodeIdOfName(name))?.flags.has('Running');
  assert.deepEqual([isRunning('a'), isRunning('b')], [true, false]);
  await Promise.all([one, two].map((each) => each.start()));
  const third = await authorities.agreed(all, { after: second.epoch, nodes: 2, dial });
  assert.ok((third.log?.size ?? 0) >= 2);

  await allTake(all, descriptorOf('a', 'leaves'));
  const fourth = await authorities.agreed(all, { after: third.epoch, nodes: 1, dial });
  assert.deepEqual(
    fourth.nodes.map(({ nodeId }) => nodeId),
    [nodeIdOfName('b')],
  );

  const status = ['authority', 'status', '--config', one.configPath];
  const running = JSON.parse((await sotto(...status, '--json')).stdout) as Record<string, unknown>;
  assert.deepEqual(
    [running['name'], running['running'], running['nodes'], running['evidence']],
    ['authority-1', true, 1, 0],
  );
  await one.end('SIGTERM');
  const stopped = await sotto(...status);
  assert.match(stopped.stdout, /running +no/);
  assert.match(stopped.stdout, /nodes admitted +1/);
}, 180_000);

test('what an operator can mend is said: no key, another key, a second process', async () => {
  const { all } = await found(1);
  const [one] = all;
  assert.ok(one);
  const run = ['run', '--config', one.configPath];
  const fails = async (args: readonly string[], said: RegExp): Promise<void> => {
    const { exit, stderr } = await sotto('authority', ...args);
    assert.equal(exit, 1);
    assert.match(stderr, said);
  };
  const key = join(directory, one.name, 'key');
  await fails(['init', one.name, join(directory, one.name)], /there is a key already/);
  const other = join(directory, 'other');
  for (const name of ['a+b', '../b', '#b', 'b\u001b[31m', 'b\u202e']) {
    await fails(['init', name, other], /cannot be the name/);
  }
  await one.start();
  await fails(run, /in use by another process/);
  await one.end('SIGTERM');
  await writeFile(key, testSeed('another key'));
  await fails(run, /another key of authority-1/);
  await writeFile(key, 'short');
  await fails(run, /is not a key/);
});
