import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { silent } from '../src/base/log.ts';
import type { NodeConfig } from '../src/config/node-config.ts';
import { RegtestChain } from '../src/devnet/chain.ts';
import { startChainServer } from '../src/devnet/chain-server.ts';
import { parseDescriptor } from '../src/directory/descriptor.ts';
import { renderPolicy } from '../src/directory/policy.ts';
import { startElectrumClient } from '../src/electrum/client.ts';
import type { Address } from '../src/io/dial.ts';
import { readIfPresent } from '../src/io/durable-file.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { followHeaders, type NodeHeaders } from '../src/node/node-headers.ts';
import { startNode } from '../src/node/start-node.ts';
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
    listen: await freeAddress(),
    expectProxyHeader: true,
    target,
    socks: { host: '127.0.0.1', port: 1 },
    policyFile,
    consensusFile: join(directory, 'consensus'),
    family: [],
    epochSeconds: 86_400,
    cellTimeoutMs: 1000,
  };
}

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
  const nobody = await freeAddress();
  await assert.rejects(startNode({ ...config, target: nobody }, deps), {
    name: 'UserError',
    message: `the Electrum server at 127.0.0.1:${nobody.port} cannot be used: nothing answers at 127.0.0.1:${nobody.port}`,
    hint: /"target"/,
  });
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

test('a node hears of new blocks again after its target restarted', async () => {
  const chain = newChain();
  const target = await freeAddress();
  const serve = () => startChainServer({ chain, ...target, log: silent });
  const first = await serve();
  let headers: NodeHeaders | undefined;
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
