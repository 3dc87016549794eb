import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { equalBytes } from '../src/base/bytes.ts';
import { type Logger, silent } from '../src/base/log.ts';
import type { NodeConfig } from '../src/config/node-config.ts';
import { RegtestChain } from '../src/devnet/chain.ts';
import { startChainServer } from '../src/devnet/chain-server.ts';
import { parseDescriptor } from '../src/directory/descriptor.ts';
import { DIRECTORY_KINDS } from '../src/directory/directory-view.ts';
import { renderPolicy } from '../src/directory/policy.ts';
import { startElectrumClient } from '../src/electrum/client.ts';
import type { Address } from '../src/io/dial.ts';
import { readIfPresent } from '../src/io/durable-file.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { followHeaders, type FollowedHeaders } from '../src/electrum/follow-headers.ts';
import { startNode } from '../src/node/start-node.ts';
import { connectRelay } from '../src/relay/relay-link.ts';
import { testAuthorities, testPolicy } from './test-directory.ts';

const NEVER = new AbortController().signal;
const deps = { clock: Date.now, log: silent, signal: NEVER, software: 'sotto/test' };

async function freeAddress(): Promise<Address> {
  const [port = 0] = await findFreePorts(1);
  return { host: '127.0.0.1', port };
}

function newChain(): RegtestChain {
  const chain = new RegtestChain({ seed: new Uint8Array(32), clock: Date.now });
  chain.mine(5);
  return chain;
}

async function configIn(directory: string, target: Address): Promise<NodeConfig> {
  const policyFile = join(directory, 'policy');
  writeFileSync(policyFile, renderPolicy(testPolicy(testAuthorities(3))));
  return {
    network: 'regtest',
    dataDirectory: join(directory, 'node'),
    makeKeys: true,
    listen: await freeAddress(),
    expectProxyHeader: true,
    target,
    socks: { host: '127.0.0.1', port: 1 },
    policyFile,
    leave: false,
    family: [],
    epochSeconds: 86_400,
    cellTimeoutMs: 1000,
  };
}

test('a node whose keys were made elsewhere does not start without them, and makes none', async () => {
  await using directory = await makeTemporaryDirectory();
  const config = { ...(await configIn(directory.path, await freeAddress())), makeKeys: false };
  await assert.rejects(startNode(config, deps), {
    name: 'UserError',
    message: `${join(config.dataDirectory, 'keys', 'identity.seed')} is missing`,
  });
  assert.equal(existsSync(config.dataDirectory), false);
});

test('a node is the same one after a restart', async () => {
  await using directory = await makeTemporaryDirectory();
  const chain = newChain();
  await using server = await startChainServer({ chain, host: '127.0.0.1', port: 0, log: silent });
  const config = await configIn(directory.path, server);
  const ids: string[] = [];
  for (let starts = 0; starts < 2; starts += 1) {
    await using node = await startNode(config, deps);
    assert.equal(node.port, config.listen.port);
    ids.push(node.nodeId);
    const note = await readIfPresent(join(config.dataDirectory, 'descriptor'));
    assert.equal(parseDescriptor(note ?? '').nodeId, node.nodeId);
  }
  assert.equal(ids[0], ids[1]);
});

test('what its operator can mend is told in plain words', async () => {
  await using directory = await makeTemporaryDirectory();
  const chain = newChain();
  await using server = await startChainServer({ chain, host: '127.0.0.1', port: 0, log: silent });
  const config = await configIn(directory.path, server);
  await assert.rejects(startNode({ ...config, network: 'mainnet' }, deps), {
    name: 'UserError',
    message: /^the Electrum server at .* cannot be used: target: /,
  });
  await assert.rejects(startNode({ ...config, policyFile: '/nowhere' }, deps), {
    name: 'UserError',
    message: 'there is no file /nowhere',
  });
  await assert.rejects(startNode({ ...config, listen: server }, deps), { code: 'EADDRINUSE' });
});

test('a node waits for a target that is not there yet, and says so once', async () => {
  await using directory = await makeTemporaryDirectory();
  const target = await freeAddress();
  const config = await configIn(directory.path, target);
  const warnings: string[] = [];
  let heard = (): void => undefined;
  const warned = new Promise<void>((resolve) => (heard = resolve));
  const log: Logger = {
    ...silent,
    warn: (message, fields) => {
      warnings.push(`${message}: ${String(fields?.['reason'])}`);
      heard();
    },
  };
  const starting = startNode(config, { ...deps, log });
  await warned;
  await sleep(700);
  await using server = await startChainServer({ chain: newChain(), ...target, log: silent });
  await using node = await starting;
  assert.equal(server.port, target.port);
  assert.equal(node.port, config.listen.port);
  const where = `127.0.0.1:${target.port}`;
  assert.deepEqual(warnings, [
    `waiting for the Electrum server at ${where}: nothing answers at ${where}`,
  ]);
});

test('a node that waits for its target stops when it is told to', async () => {
  await using directory = await makeTemporaryDirectory();
  const config = await configIn(directory.path, await freeAddress());
  const stop = new AbortController();
  const warn = (): void => {
    stop.abort();
  };
  const starting = startNode(config, { ...deps, log: { ...silent, warn }, signal: stop.signal });
  await assert.rejects(starting, { name: 'AbortError' });
});

test('a node without a policy says HELLO, serves headers and its descriptor, and takes no cells', async () => {
  await using directory = await makeTemporaryDirectory();
  const chain = newChain();
  await using server = await startChainServer({ chain, host: '127.0.0.1', port: 0, log: silent });
  const config = {
    ...(await configIn(directory.path, server)),
    policyFile: undefined,
    expectProxyHeader: false,
  };
  await using node = await startNode(config, deps);
  const stream = await loopbackDial(
    { host: '127.0.0.1', port: node.port },
    { signal: NEVER, isolation: '' },
  );
  const relaying = { clock: Date.now, signal: NEVER };
  await using link = await connectRelay({ stream, network: 'regtest', ...relaying });
  const { latestConsensus, descriptor } = DIRECTORY_KINDS;
  const waiting = { signal: NEVER };
  assert.equal((await link.headers(0, 10, waiting)).length, 6 * 80);
  assert.equal((await link.directory(latestConsensus, new Uint8Array(32), waiting)).length, 0);
  const note = (await readIfPresent(join(config.dataDirectory, 'descriptor'))) ?? new Uint8Array();
  const { digest } = parseDescriptor(note);
  assert.ok(equalBytes(await link.directory(descriptor, digest, waiting), note));
  const cell = { nodeId: node.nodeId, cell: new Uint8Array(2048), signal: NEVER };
  assert.equal((await link.forward(cell)).status, 'NOT_LISTED');
});

test('a node hears of new blocks again after its target restarted', async () => {
  const chain = newChain();
  const target = await freeAddress();
  const serve = () => startChainServer({ chain, ...target, log: silent });
  const first = await serve();
  let headers: FollowedHeaders | undefined;
  await using client = await startElectrumClient({
    dial: (signal) => loopbackDial(target, { signal, isolation: '' }),
    clientName: 'test',
    timeoutMs: 5000,
    log: silent,
    signal: NEVER,
    onReconnect: () => headers?.resume(),
  });
  await using following = await followHeaders({
    client,
    network: 'regtest',
    clock: Date.now,
    log: silent,
    signal: NEVER,
  });
  headers = following;
  await first[Symbol.asyncDispose]();
  chain.mine(1);
  await using second = await serve();
  assert.equal(second.port, target.port);
  const deadline = AbortSignal.timeout(10_000);
  while (following.chain.tip.height < 6) await sleep(20, undefined, { signal: deadline });
  chain.mine(1);
  await following.reach(7, { signal: NEVER });
  assert.equal(following.chain.tip.hash, chain.tip.hash);
});
