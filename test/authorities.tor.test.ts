import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { checkFollows } from '../src/directory/accept-consensus.ts';
import { parsePolicy } from '../src/directory/policy.ts';
import { fingerprintOf } from '../src/directory/policy-link.ts';
import { type Address, formatAddress } from '../src/io/dial.ts';
import { startReaper } from '../src/io/reaper.ts';
import { socksDial } from '../src/io/socks-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { startPrivateTorNetwork } from '../src/tor/private-network.ts';
import { AuthorityProcesses, bring, descriptorOf, sotto } from './authority-processes.ts';

/** Questions over onions take up to half a second, and the first of a link more. */
const TIMELINE = { periodSeconds: 30, validSeconds: 90, voteSeconds: 14, signSeconds: 4 };

test('five authorities agree over onions, go on without two, and heal when three were gone for longer than a consensus holds', async () => {
  await using scope = new Scope();
  const signal = AbortSignal.timeout(880_000);
  const reaper = scope.use(await startReaper());
  const directory = scope.use(await makeTemporaryDirectory()).path;
  reaper.watchDirectory(directory);
  const tor = scope.use(
    await startPrivateTorNetwork({ directory: join(directory, 'tor'), signal, reaper }),
  );
  const client = scope.use(await tor.startTor({ name: 'client', onions: [], signal }));
  const dial = socksDial(client.socks);
  const authorities = await AuthorityProcesses.found({
    count: 5,
    directory,
    timeline: TIMELINE,
    expectProxyHeader: true,
    async connect(places) {
      const tors = await scope.useAll(
        places.map(({ name, onionSeed, onion, listen }) =>
          tor.startTor({
            name,
            onions: [
              {
                seed: onionSeed,
                ports: [{ virtual: onion.port, target: `${listen.host}:${listen.port}` }],
                exportCircuitId: true,
              },
            ],
            signal,
          }),
        ),
      );
      await Promise.all(
        tors.flatMap((each) => each.onions.map((onion) => each.published(onion, { signal }))),
      );
      return tors.map(({ socks }) => socks);
    },
  });
  scope.use(authorities);
  const { all } = authorities;
  await Promise.all(all.map((each) => each.start()));
  for (const name of ['a', 'b']) {
    const note = descriptorOf(name, 'stays');
    const taken = await Promise.all(all.map(({ place }) => bring(place, note, dial)));
    assert.ok(taken.every(({ verdict }) => verdict === 'taken'));
  }
  const first = await authorities.agreed(all, { after: 0, nodes: 2, dial });
  const [one, two, ...three] = all;
  assert.ok(one && two);
  await fetchesPolicy(directory, { from: one.place.onion, socks: client.socks });
  await Promise.all([one, two].map((each) => each.end('SIGKILL')));
  const second = await authorities.agreed(three, { after: first.epoch, nodes: 2, dial });
  checkFollows(second, first);

  const [third, ...left] = three;
  assert.ok(third);
  await third.end('SIGKILL');
  const last = await authorities.agreed(left, { after: second.epoch - 1, nodes: 2, dial });
  const show = await clientOf(authorities, { directory, socks: client.socks });
  const offline = await show();
  assert.equal(offline.exit, 0, offline.stderr);
  assert.equal(epochIn(offline.stdout), last.epoch);
  const what = 'the last consensus to end';
  const ended = await waitUntil(
    async () => {
      const shown = await show();
      return shown.exit === 0 ? undefined : { ...shown, at: Date.now() };
    },
    { what, timeoutMs: 150_000, intervalMs: 3000, signal },
  );
  assert.ok(ended.at >= last.validUntil * 1000);
  assert.match(ended.stderr, new RegExp(`consensus of epoch ${last.epoch} was valid until`));
  await third.start();
  const healed = await authorities.agreed([third, ...left], { after: last.epoch, nodes: 2, dial });
  checkFollows(healed, last);
  const anew = await show();
  assert.equal(anew.exit, 0, anew.stderr);
  assert.ok(epochIn(anew.stdout) >= healed.epoch);
}, 900_000);

interface ClientPlace {
  readonly directory: string;
  readonly socks: Address;
}

/** Runs `sotto directory show` of one client, which asks the authorities themselves. */
async function clientOf(
  { all }: AuthorityProcesses,
  { directory, socks }: ClientPlace,
): Promise<() => ReturnType<typeof sotto>> {
  const policy = join(directory, 'policy of a client');
  const relays = all.map(({ place }) => `relay ${formatAddress(place.onion)}\n`);
  await writeFile(policy, (await readFile(join(directory, 'policy'), 'utf8')) + relays.join(''));
  const place = ['--state', join(directory, 'client state'), '--socks', formatAddress(socks)];
  return () => sotto('directory', 'show', '--policy', policy, ...place, '--json');
}

function epochIn(stdout: string): number {
  return (JSON.parse(stdout) as { epoch: number }).epoch;
}

/** By the link that is shown, and by no other. */
async function fetchesPolicy(
  directory: string,
  { from, socks }: { readonly from: Address; readonly socks: Address },
): Promise<void> {
  const given = join(directory, 'policy');
  const onion = formatAddress(from);
  const shown = await sotto('policy', 'show', '--policy', given, '--onion', onion, '--json');
  const { link } = JSON.parse(shown.stdout) as { link: string };
  const fetched = join(directory, 'fetched policy');
  const tor = ['--socks', formatAddress(socks)];
  const other = await sotto('policy', 'fetch', link.replace(/.{8}$/, '00000000'), fetched, ...tor);
  assert.deepEqual([other.exit, other.stderr], [1, `sotto: ${onion} does not have this policy\n`]);
  const right = await sotto('policy', 'fetch', link, fetched, ...tor);
  assert.deepEqual([right.exit, right.stderr], [0, '']);
  const policies = await Promise.all(
    [given, fetched].map(async (path) => parsePolicy(await readFile(path, 'utf8'))),
  );
  const [ours, theirs] = policies.map(fingerprintOf);
  assert.deepEqual(theirs, ours);
}
