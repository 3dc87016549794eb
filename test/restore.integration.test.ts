import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { utf8 } from '../src/base/bytes.ts';
import { UserError } from '../src/base/errors.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { type DurableSteps, takeAll } from '../src/stack/durable-steps.ts';
import { homeAt } from '../src/stack/home.ts';
import { newMarker, renderMarker } from '../src/stack/marker.ts';
import { putInPlace, stageHome } from '../src/stack/new-home.ts';
import { makeSecrets, onionAddresses, openSecrets } from '../src/stack/secrets.ts';
import type { ServerBackup } from '../src/stack/backup/archive.ts';
import { makeBackup, openBackup } from '../src/stack/backup/make-backup.ts';
import { restoreHome } from '../src/stack/backup/restore.ts';

const passphrase = 'correct horse battery staple';
const REGTEST = 'network: regtest\ntarget: devnet\n';

interface Places {
  readonly home: string;
  readonly file: string;
  readonly parent: string;
}

async function withPlaces<T>(run: (places: Places) => Promise<T>): Promise<T> {
  await using directory = await makeTemporaryDirectory();
  const { path: parent } = directory;
  return await run({ parent, home: join(parent, 'server'), file: join(parent, 'backup.age') });
}

async function makeServer(home: string, config = REGTEST): Promise<void> {
  const files = new Map([
    ['.sotto-server', utf8(renderMarker(newMarker()))],
    ['sotto.yaml', utf8(config)],
  ]);
  await putInPlace(await stageHome(home, files), home);
  const devices = join(homeAt(home).onion('wallet'), 'authorized_clients');
  await mkdir(devices, { recursive: true });
  await writeFile(join(devices, 'phone.auth'), 'descriptor:x25519:AAAA\n');
  await makeSecrets(homeAt(home));
  await mkdir(homeAt(home).data('bitcoind'));
  await writeFile(join(homeAt(home).data('bitcoind'), 'blocks'), 'days of work');
}

async function backUp({ home, file }: Places): Promise<ServerBackup> {
  return makeBackup({ home, file, passphrase, now: new Date(), workFactor: 1 });
}

async function restore(backup: ServerBackup, home: string, replace = false): Promise<void> {
  await takeAll(restoreHome(backup, { home, replace }));
}

async function addressOf(home: string): Promise<string> {
  return onionAddresses(await openSecrets(homeAt(home))).wallet;
}

async function chainOf(home: string): Promise<string | undefined> {
  try {
    return await readFile(join(homeAt(home).data('bitcoind'), 'blocks'), 'utf8');
  } catch {
    return undefined;
  }
}

test('a restored server has the same onions, devices and passwords, and files for its owner alone', async () => {
  await withPlaces(async (places) => {
    const { home, file, parent } = places;
    await makeServer(home);
    const made = await backUp(places);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(made.onions.wallet, await addressOf(home));
    const elsewhere = join(parent, 'deep', 'elsewhere');
    await restore(await openBackup(file, passphrase), elsewhere);
    const secrets = await openSecrets(homeAt(home));
    assert.deepEqual(await openSecrets(homeAt(elsewhere)), secrets);
    const device = join(homeAt(elsewhere).onion('wallet'), 'authorized_clients', 'phone.auth');
    assert.equal(await readFile(device, 'utf8'), 'descriptor:x25519:AAAA\n');
    for (const path of await readdir(elsewhere, { recursive: true })) {
      assert.equal((await stat(join(elsewhere, path))).mode & 0o077, 0, path);
    }
    assert.equal(await chainOf(elsewhere), undefined);
    assert.deepEqual(await readdir(join(parent, 'deep')), ['elsewhere']);
  });
});

test('a backup never replaces a file, and there is none of what is no server', async () => {
  await withPlaces(async (places) => {
    await assert.rejects(backUp(places), /there is no personal server/);
    await makeServer(places.home);
    await writeFile(places.file, 'older');
    await assert.rejects(backUp(places), /there already/);
    assert.equal(await readFile(places.file, 'utf8'), 'older');
  });
});

test('what an interrupted write or rotation left is not in a backup', async () => {
  await withPlaces(async (places) => {
    await makeServer(places.home);
    const { secrets } = homeAt(places.home);
    await writeFile(join(secrets, 'wallet.seed.next'), 'x');
    await writeFile(join(secrets, 'wallet.seed.0123456789ab.tmp'), 'x');
    const { files } = await backUp(places);
    assert.deepEqual(
      [...files.keys()].filter((path) => path.startsWith('secrets/')),
      ['secrets/wallet.seed', 'secrets/p2p.seed', 'secrets/rpc-target'],
    );
  });
});

test('a home that holds anything is left as it is', async () => {
  await withPlaces(async (places) => {
    const { home, parent } = places;
    await makeServer(home);
    const backup = await backUp(places);
    const before = await addressOf(home);
    await assert.rejects(restore(backup, home), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.hint ?? '', /--replace/);
      return true;
    });
    const foreign = join(parent, 'photos');
    await mkdir(foreign);
    await writeFile(join(foreign, 'holiday.jpg'), '');
    await assert.rejects(restore(backup, foreign, true), /not of a personal server/);
    assert.deepEqual(await readdir(foreign), ['holiday.jpg']);
    assert.equal(await addressOf(home), before);
  });
});

test('an empty directory is taken', async () => {
  await withPlaces(async (places) => {
    await makeServer(places.home);
    const empty = join(places.parent, 'empty');
    await mkdir(empty);
    await restore(await backUp(places), empty);
    assert.equal(await addressOf(empty), await addressOf(places.home));
  });
});

test('a configuration that this sotto cannot read is told before anything is written', async () => {
  await withPlaces(async (places) => {
    await makeServer(places.home, 'network: regtest\nfrom_the_future: 1\n');
    const backup = await backUp(places);
    const elsewhere = join(places.parent, 'elsewhere');
    await assert.rejects(restore(backup, elsewhere), /sotto\.yaml in the backup has problems/);
    assert.deepEqual((await readdir(places.parent)).sort(), ['backup.age', 'server']);
  });
});

test('--replace keeps the former server beside, and goes on with its chain', async () => {
  await withPlaces(async (places) => {
    const { home, parent } = places;
    await makeServer(home);
    const wanted = await addressOf(home);
    const backup = await backUp(places);
    await rename(home, join(parent, 'first'));
    await makeServer(home);
    const former = await addressOf(home);
    await restore(backup, home, true);
    assert.equal(await addressOf(home), wanted);
    assert.equal(await chainOf(home), 'days of work');
    assert.equal(await addressOf(`${home}.former`), former);
    assert.equal(await chainOf(`${home}.former`), undefined);
    await assert.rejects(restore(backup, home, true), /earlier --replace/);
  });
});

test('--replace leaves the chain of another network where it is', async () => {
  await withPlaces(async (places) => {
    const { home, parent } = places;
    await makeServer(home);
    const backup = await backUp(places);
    await rename(home, join(parent, 'first'));
    await makeServer(home, 'network: signet\n');
    await restore(backup, home, true);
    assert.equal(await chainOf(home), undefined);
    assert.equal(await chainOf(`${home}.former`), 'days of work');
  });
});

/** Does so many steps and no more, as when the process was killed. */
async function killAfter(steps: DurableSteps, count: number): Promise<boolean> {
  for (let done = 0; done < count; done++) if ((await steps.next()).done === true) return false;
  return true;
}

test('a restore that was killed after any step ends well when it is run again', async () => {
  const isKilledAfter = (count: number): Promise<boolean> =>
    withPlaces(async (places) => {
      await makeServer(places.home);
      const backup = await backUp(places);
      const elsewhere = join(places.parent, 'elsewhere');
      const killed = await killAfter(
        restoreHome(backup, { home: elsewhere, replace: false }),
        count,
      );
      if (!(await readdir(places.parent)).includes('elsewhere')) await restore(backup, elsewhere);
      assert.equal(await addressOf(elsewhere), backup.onions.wallet);
      return killed;
    });
  let count = 1;
  while (await isKilledAfter(count)) count++;
  assert.equal(count, 3);
});

test('a --replace that was killed after any step loses no key and no chain, and ends well when run again', async () => {
  const isKilledAfter = (count: number): Promise<boolean> =>
    withPlaces(async (places) => {
      const { home, parent } = places;
      await makeServer(home);
      const backup = await backUp(places);
      await rename(home, join(parent, 'first'));
      await makeServer(home);
      const former = await addressOf(home);
      const options = { home, replace: true };
      const killed = await killAfter(restoreHome(backup, options), count);
      const isInPlace = (await readdir(parent)).includes('server');
      if (!isInPlace || (await addressOf(home)) === former) {
        // Killed once more, in what undoes it.
        await killAfter(restoreHome(backup, options), 1);
        await restore(backup, home, true);
      }
      assert.equal(await addressOf(home), backup.onions.wallet);
      assert.equal(await chainOf(home), 'days of work');
      assert.equal(await addressOf(`${home}.former`), former);
      assert.deepEqual((await readdir(parent)).sort(), [
        'backup.age',
        'first',
        'server',
        'server.former',
      ]);
      return killed;
    });
  let count = 1;
  while (await isKilledAfter(count)) count++;
  assert.equal(count, 5);
});

test('a new home is never built over a chain that an interrupted restore holds', async () => {
  await withPlaces(async (places) => {
    const { home, parent } = places;
    await makeServer(home);
    const backup = await backUp(places);
    await rename(home, join(parent, 'first'));
    await makeServer(home);
    await killAfter(restoreHome(backup, { home, replace: true }), 3);
    await assert.rejects(makeServer(home), /a restore was interrupted/);
    await restore(backup, home, true);
    assert.equal(await chainOf(home), 'days of work');
  });
});
