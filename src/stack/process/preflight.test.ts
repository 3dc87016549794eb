import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import type { StackConfig } from '../../config/stack-config.ts';
import { listenTcp } from '../../io/listen.ts';
import { makeTemporaryDirectory } from '../../io/temporary-directory.ts';
import { homeAt } from '../home.ts';
import type { Plan } from '../plan.ts';
import type { ServiceName, ServiceSpec } from '../service.ts';
import { checkChange, checkMachine } from './preflight.ts';

const { signal } = new AbortController();

function spec(name: ServiceName, command: string, port?: number): ServiceSpec {
  return {
    name,
    command: [command],
    files: [],
    reaches: [],
    listens: port === undefined ? [] : [{ what: 'SOCKS', address: { host: '127.0.0.1', port } }],
    memoryMiB: 1,
    stopSeconds: 1,
  };
}

function plan(
  directory: string,
  services: readonly ServiceSpec[],
  programs: StackConfig['process']['programs'] = {},
): Plan {
  const config = { process: { firstPort: 29_050, programs } } as StackConfig;
  return { home: homeAt(directory), config, services } as unknown as Plan;
}

async function writeProgram(path: string, script: string): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

test('all programs that are missing are named, with where to get them and where to say it', async () => {
  await using directory = await makeTemporaryDirectory();
  const nowhere = join(directory.path, 'nowhere');
  const wanted = plan(directory.path, [spec('bitcoind', 'bitcoind'), spec('target', 'Fulcrum')], {
    bitcoind: nowhere,
    fulcrum: nowhere,
  });
  await assert.rejects(checkMachine(wanted, signal), {
    name: 'UserError',
    message: /cannot be found: bitcoind \(.*nowhere\), fulcrum \(.*nowhere\)$/,
    hint: /bitcoincore\.org.*\n.*cculianu.*\n.*\nprocess:\n {2}programs:\n {4}bitcoind: /,
  });
});

test('a tor that is too old, and one that is no tor, are refused', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'tor');
  const wanted = plan(directory.path, [spec('tor', 'tor')], { tor: path });
  await writeProgram(path, 'echo "Tor version 0.4.8.12."');
  await assert.rejects(checkMachine(wanted, signal), /tor 0\.4\.8\.12 is too old/);
  await writeProgram(path, 'echo hello');
  await assert.rejects(checkMachine(wanted, signal), /is not tor/);
  await writeProgram(path, 'echo "Tor version 0.4.9.1-alpha."');
  await checkMachine(wanted, signal);
});

test('a port in use is told with who uses it; one that the server itself uses is not', async () => {
  await using directory = await makeTemporaryDirectory();
  await using other = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 1,
    onConnection: () => undefined,
  });
  const wanted = plan(directory.path, [spec('node', 'sotto', other.port)]);
  const error = {
    name: 'UserError',
    message: new RegExp(
      `127\\.0\\.0\\.1:${other.port} \\(node: SOCKS\\) by .*process ${process.pid}`,
    ),
    hint: /first_port in .*sotto\.yaml/,
  };
  await assert.rejects(checkMachine(wanted, signal), error);
  await assert.rejects(checkChange(plan(directory.path, []), wanted), error);
  await checkChange(wanted, wanted);
});
