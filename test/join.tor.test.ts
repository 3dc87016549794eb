import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { AuthorityProcesses } from './authority-processes.ts';
import { startProcessLab } from './process-server.ts';

/** Questions over onions take up to half a second, and the first of a link more. */
const TIMELINE = { periodSeconds: 30, validSeconds: 300, voteSeconds: 14, signSeconds: 4 };

/** What `sotto join --json` and `sotto leave --json` print. */
interface Joined {
  readonly ok: boolean;
  readonly checks: readonly { readonly id: string; readonly verdict: string }[];
  readonly listing?: Status['listing'];
}

interface Status {
  readonly steps: readonly { readonly id: string; readonly state: string }[];
  readonly listing: {
    readonly consensus?: { readonly epoch: number; readonly node?: { flags: readonly string[] } };
    readonly answers: readonly { readonly verdict: string }[];
  };
}

test('a server joins a network over onions, is told its place, and leaves', async () => {
  await using scope = new Scope();
  const signal = AbortSignal.timeout(880_000);
  const lab = scope.use(await startProcessLab(signal));
  const making = lab.makeServer('server', ['--network', 'regtest', '--target', 'devnet']);
  const authorities = scope.use(
    await AuthorityProcesses.found({
      count: 3,
      directory: lab.directory,
      timeline: TIMELINE,
      expectProxyHeader: true,
      async connect(places) {
        const tors = await scope.useAll(
          places.map(({ name, onionSeed, onion, listen }) => {
            const ports = [{ virtual: onion.port, target: `${listen.host}:${listen.port}` }];
            const onions = [{ seed: onionSeed, ports, exportCircuitId: true }];
            return lab.network.startTor({ name, onions, signal });
          }),
        );
        await Promise.all(
          tors.flatMap((each) => each.onions.map((onion) => each.published(onion, { signal }))),
        );
        return tors.map(({ socks }) => socks);
      },
    }),
  );
  await Promise.all(authorities.all.map((each) => each.start()));
  const server = await making;
  const policyFile = join(lab.directory, 'policy');

  const early = await server.sotto('join', policyFile);
  assert.equal(early.code, 1);
  assert.match(early.stderr, /the node does not run/);

  await server.succeed('up');
  const elsewhere = await server.sotto('join', '--json', join(lab.directory, 'nowhere'));
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stderr, /FAIL {2}policy: there is no file/);
  assert.match(elsewhere.stderr, /the node cannot join yet: 1 of 6 checks failed/);
  const { ok, checks } = JSON.parse(elsewhere.stdout) as Joined;
  assert.equal(ok, false);
  assert.deepEqual(
    checks.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id),
    ['policy'],
  );

  const { listing } = JSON.parse(await server.succeed('join', '--json', policyFile)) as Joined;
  const joined = JSON.parse(await server.succeed('status', '--json')) as Status;
  assert.ok(listing?.consensus?.node);
  assert.equal(joined.steps.find(({ id }) => id === 'listed')?.state, 'done');
  assert.ok(joined.listing.consensus?.node?.flags.includes('Gateway'));
  // A quorum lists it; an authority that could not be reached at once is told again.
  const takenByAll = async (): Promise<true | undefined> => {
    const { listing } = JSON.parse(await server.succeed('status', '--json')) as Status;
    const verdicts = listing.answers.map(({ verdict }) => verdict);
    return (verdicts.length === 3 && verdicts.every((verdict) => verdict === 'taken')) || undefined;
  };
  await waitUntil(takenByAll, {
    what: 'all authorities to take the descriptor',
    timeoutMs: 60_000,
    intervalMs: 1000,
    signal,
  });

  const gone = JSON.parse(await server.succeed('leave', '--json')) as Joined;
  assert.ok(gone.ok && gone.listing?.consensus && gone.listing.consensus.node === undefined);
  const left = JSON.parse(await server.succeed('status', '--json')) as Status;
  assert.ok(left.listing.consensus !== undefined && left.listing.consensus.node === undefined);
}, 900_000);
