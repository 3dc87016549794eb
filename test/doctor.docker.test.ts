import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { DialError } from '../src/io/dial.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { hardeningCheck } from '../src/stack/doctor/hardening-check.ts';
import { isolationProbe } from '../src/stack/doctor/isolation-probe.ts';
import { networksCheck } from '../src/stack/doctor/networks-check.ts';
import { portsCheck } from '../src/stack/doctor/ports-check.ts';
import { walletKeys } from '../src/stack/doctor/wallet-keys.ts';
import type { Check, Finding } from '../src/stack/finding.ts';
import type { Stack } from '../src/stack/open-stack.ts';
import type { Plan } from '../src/stack/plan.ts';
import { runCheck } from '../src/stack/run-checks.ts';
import { docker, dockerTest } from './docker-engine.ts';
import { startDockerServer } from './docker-server.ts';

const PROJECT = 'sotto-doctor';
const OPEN_NETWORK = `${PROJECT}-open`;
const signal = AbortSignal.timeout(900_000);
const scope = new Scope();
let starting: Promise<Stack> | undefined;

afterAll(() => scope[Symbol.asyncDispose]());

function serverThatRuns(): Promise<Stack> {
  starting ??= (async () => {
    const options = { project: PROJECT, networkPrefix: '10.213.61', signal };
    return scope.use(await startDockerServer(options)).stack;
  })();
  return starting;
}

const CHECKS: readonly ((plan: Plan) => Check)[] = [
  isolationProbe,
  networksCheck,
  portsCheck,
  hardeningCheck,
  walletKeys,
];

/** By the id of the check, what it found. */
async function examine(plan: Plan): Promise<ReadonlyMap<string, Finding>> {
  const findings = new Map<string, Finding>();
  for (const check of CHECKS) {
    const finding = await runCheck(check(plan), { signal });
    findings.set(finding.id, finding);
  }
  return findings;
}

function verdictsOf(findings: ReadonlyMap<string, Finding>): Record<string, string> {
  return Object.fromEntries([...findings].map(([id, { verdict }]) => [id, verdict]));
}

const ALL_WELL = {
  isolation: 'ok',
  networks: 'ok',
  ports: 'ok',
  hardening: 'ok',
  'wallet-onion-keys': 'ok',
};

/** Breaks something, looks, and mends it whatever was seen. */
async function broken(
  plan: Plan,
  { breakIt, mend }: { readonly breakIt: () => unknown; readonly mend: () => unknown },
): Promise<ReadonlyMap<string, Finding>> {
  try {
    await breakIt();
    return await examine(plan);
  } finally {
    await mend();
  }
}

dockerTest('a server as it was planned passes', async () => {
  const { plan } = await serverThatRuns();
  const findings = await examine(plan);
  assert.deepEqual(verdictsOf(findings), ALL_WELL, JSON.stringify([...findings.values()]));
});

dockerTest(
  'a container on an open network fails, and the probe names what it reaches',
  async () => {
    const { plan } = await serverThatRuns();
    const findings = await broken(plan, {
      breakIt: () => {
        docker('network', 'create', '--subnet', '10.213.61.200/29', OPEN_NETWORK);
        docker('network', 'connect', OPEN_NETWORK, `${PROJECT}-target-1`);
      },
      mend: () => {
        docker('network', 'disconnect', OPEN_NETWORK, `${PROJECT}-target-1`);
        docker('network', 'rm', OPEN_NETWORK);
      },
    });
    assert.deepEqual(verdictsOf(findings), { ...ALL_WELL, isolation: 'fail', networks: 'fail' });
    // Where the machine itself is offline, a way to its own addresses is what shows.
    assert.match(
      findings.get('isolation')?.found ?? '',
      /target reaches (the internet|this machine)/,
    );
    assert.match(findings.get('isolation')?.found ?? '', /target has the router 10\.213\.61\.201/);
    assert.match(
      findings.get('networks')?.found ?? '',
      /target is on the network sotto-doctor-open/,
    );
  },
);

dockerTest('a stranger on one of our networks fails', async () => {
  const { plan } = await serverThatRuns();
  const stranger = `${PROJECT}-stranger`;
  const findings = await broken(plan, {
    breakIt: () =>
      docker(
        ...['run', '--detach', '--name', stranger, '--network', `${PROJECT}_target_node`],
        ...['--entrypoint', 'sleep', plan.images.node, '600'],
      ),
    mend: () => docker('rm', '--force', stranger),
  });
  assert.deepEqual(verdictsOf(findings), { ...ALL_WELL, networks: 'fail' });
  assert.match(findings.get('networks')?.found ?? '', /sotto-doctor-stranger is on our network/);
});

dockerTest('a published port and rights that were added fail', async () => {
  const { plan, backend, home } = await serverThatRuns();
  const override = join(home.directory, 'override.yaml');
  const findings = await broken(plan, {
    breakIt: async () => {
      const node = { ports: ['127.0.0.1:0:50010'], cap_add: ['NET_RAW'], read_only: false };
      await writeFile(override, JSON.stringify({ services: { node } }));
      docker(
        ...['compose', '--project-name', PROJECT, '--project-directory', home.directory],
        ...['--env-file', home.environmentFile, '--file', home.composeFile, '--file', override],
        ...['up', '--detach', '--no-deps', 'node'],
      );
    },
    mend: () => backend.restart(['node'], { signal }),
  });
  assert.deepEqual(verdictsOf(findings), { ...ALL_WELL, ports: 'fail', hardening: 'fail' });
  assert.match(findings.get('ports')?.found ?? '', /127\.0\.0\.1:\d+ leads to node/);
  assert.match(
    findings.get('hardening')?.found ?? '',
    /node can write to its image; node has capabilities added/,
  );
});

dockerTest('a wallet onion without a key that tor can read fails', async () => {
  const { plan, home } = await serverThatRuns();
  const keys = join(home.onion('wallet'), 'authorized_clients');
  const findings = await broken(plan, {
    breakIt: () => rename(join(keys, 'sotto.auth'), join(keys, 'sotto.away')),
    mend: () => rename(join(keys, 'sotto.away'), join(keys, 'sotto.auth')),
  });
  assert.deepEqual(verdictsOf(findings), { ...ALL_WELL, 'wallet-onion-keys': 'fail' });
});

dockerTest(
  'the target is reached through the node, and the pipe ends with the stream',
  async () => {
    const { backend } = await serverThatRuns();
    const pipes = (): string | undefined =>
      docker('top', `${PROJECT}-node-1`, '-o', 'pid,args').includes('pipe-program')
        ? undefined
        : 'none';
    const waiting = { what: 'the pipe', timeoutMs: 10_000, intervalMs: 100, signal };
    const answering = { ...waiting, what: 'the target' };
    const stream = await waitUntil(
      () => backend.dialElectrum('target', { signal }).catch(tolerate(DialError)),
      answering,
    );
    stream.write('{"id":1,"method":"server.version","params":["test","1.4"]}\n');
    const [reply] = (await once(stream, 'data')) as [Buffer];
    assert.match(reply.toString(), /"Sotto devnet"/);
    assert.equal(pipes(), undefined);
    stream.destroy();
    await waitUntil(pipes, waiting);
  },
);

dockerTest(
  'a dialled stream ends with its signal, and so does what it runs in the container',
  async () => {
    const { backend } = await serverThatRuns();
    const controller = new AbortController();
    const stream = await backend.dialElectrum('target', controller);
    const closed = new Promise((resolve) => stream.once('close', resolve));
    controller.abort();
    await closed;
    const gone = (): true | undefined =>
      docker('top', `${PROJECT}-node-1`, '-o', 'pid,args').includes('pipe-program')
        ? undefined
        : true;
    await waitUntil(gone, { what: 'the pipe', timeoutMs: 10_000, intervalMs: 100, signal });
  },
);

dockerTest('logs are told apart by service, and followed over a restart', async () => {
  const { backend } = await serverThatRuns();
  const some: string[] = [];
  for await (const { service } of backend.logs({ lines: 3, follow: false, signal })) {
    some.push(service);
  }
  assert.ok(some.includes('tor') && some.includes('node') && some.includes('target'));
  assert.ok(some.filter((service) => service === 'node').length <= 3);
  const stop = new AbortController();
  const seen = { starts: 0, isAnew: false };
  const options = { service: 'target', lines: 0, follow: true, signal: stop.signal } as const;
  const following = (async () => {
    for await (const { service, text } of backend.logs(options)) {
      assert.equal(service, 'target');
      if (!text.startsWith('Electrum server')) continue;
      seen.starts += 1;
      if (seen.isAnew) stop.abort();
    }
  })();
  const restartUntilSeen = (): true | undefined => {
    if (seen.starts > 0) return true;
    // What was said before the engine began to follow is not told.
    docker('restart', `${PROJECT}-target-1`);
    return undefined;
  };
  await waitUntil(restartUntilSeen, {
    what: 'a start to be told',
    timeoutMs: 60_000,
    intervalMs: 5_000,
    signal,
  });
  seen.isAnew = true;
  await backend.restart(['target'], { signal });
  await following;
});

dockerTest('a service that ended is told, and up starts it again', async () => {
  const { backend, plan } = await serverThatRuns();
  docker('stop', `${PROJECT}-node-1`);
  const stopped = await backend.states({ signal });
  assert.equal(stopped.find(({ service }) => service === 'node')?.state, 'stopped');
  await assert.rejects(backend.dialElectrum('target', { signal }), DialError);
  await backend.up({ signal });
  const states = await backend.states({ signal });
  assert.deepEqual(
    states.map(({ service }) => service),
    plan.services.map(({ name }) => name),
  );
  assert.equal(states.find(({ service }) => service === 'node')?.state, 'running');
});

dockerTest('remove leaves nothing of this server, and everything of others', async () => {
  const { backend, plan } = await serverThatRuns();
  const other = `${PROJECT}-other`;
  docker('network', 'create', '--label', `sotto.project=${other}`, other);
  try {
    await backend.down({ signal });
    await backend.down({ signal });
    const states = await backend.states({ signal });
    assert.ok(states.every(({ state }) => state === 'missing'));
    const label = `label=com.docker.compose.project=${PROJECT}`;
    assert.equal(docker('ps', '--all', '--quiet', '--filter', label), '');
    assert.equal(docker('network', 'ls', '--quiet', '--filter', label), '');
    assert.notEqual(docker('network', 'ls', '--quiet', '--filter', `name=^${other}$`), '');
    assert.notEqual(docker('image', 'ls', '--quiet', plan.images.node), '');
  } finally {
    docker('network', 'rm', other);
  }
});

function tolerate(kind: new (message: string) => Error): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof kind)) throw error;
    return undefined;
  };
}
