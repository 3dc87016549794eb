import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { UserError } from '../src/base/errors.ts';
import { buildImages } from '../src/stack/docker/build-images.ts';
import { ownImageName } from '../src/stack/docker/image-context.ts';
import { BASE_IMAGE, docker, dockerTest } from './docker-engine.ts';

const TIMEOUT_MS = 500_000;
const ours = { environment: { SOTTO_BASE_IMAGE: BASE_IMAGE } };

dockerTest('our images are built once for one content, and run as nobody', async () => {
  const images = [await ownImageName('tor'), await ownImageName('node')] as const;
  const steps: string[] = [];
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const onProgress = (step: string): void => void steps.push(step);
  await buildImages({ images, ...ours, onProgress, signal });
  assert.match(docker('run', '--rm', '--read-only', images[1], '--version'), /^\d+\.\d+\.\d+$/);
  for (const image of images) {
    assert.equal(docker('image', 'inspect', '--format', '{{.Config.User}}', image), '21000:21000');
  }
  steps.length = 0;
  await buildImages({ images, ...ours, onProgress, signal });
  assert.deepEqual(steps, []);
});

dockerTest('a base that cannot be had is named, with what to do instead', async () => {
  const environment = { SOTTO_BASE_IMAGE: 'sotto.invalid/no/such:image' };
  await assert.rejects(
    buildImages({
      images: [await ownImageName('tor')],
      environment,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }),
    (error: unknown) =>
      error instanceof UserError &&
      error.message.startsWith('the base image sotto.invalid/no/such:image cannot be had') &&
      (error.hint ?? '').includes('SOTTO_BASE_IMAGE='),
  );
});

const VALID_KEY = `descriptor:x25519:${'A'.repeat(52)}`;

/** What the start of tor says, with /config and /data as the script leaves them. */
async function startTorAfter(script: string): Promise<string> {
  const places = ['--tmpfs', '/config:mode=777', '--tmpfs', '/data:mode=777'];
  const image = await ownImageName('tor');
  const start = `${script}\nsotto-tor echo started 2>&1; find /data -type f`;
  return docker('run', '--rm', ...places, '--entrypoint', 'sh', image, '-c', start);
}

dockerTest('tor does not start while no device has a valid key to the wallet onion', async () => {
  const directory = '/data/onions/wallet/authorized_clients';
  const wallet = `echo HiddenServiceDir /data/onions/wallet > /config/torrc; mkdir -p ${directory}`;
  const refusal = /no device has a valid key to the wallet onion/;
  assert.match(await startTorAfter('true'), /torrc cannot be read/);
  assert.match(await startTorAfter(wallet), refusal);
  assert.match(await startTorAfter(`${wallet}; echo nonsense > ${directory}/a.auth`), refusal);
  assert.match(await startTorAfter(`${wallet}; echo ${VALID_KEY} > ${directory}/a.off`), refusal);
  const started = await startTorAfter(`${wallet}; echo ${VALID_KEY} > ${directory}/a.auth`);
  assert.match(started, /^started$/m);
  const open = 'echo HiddenServiceDir /data/onions/open-wallet > /config/torrc';
  assert.match(await startTorAfter(open), /^started$/m);
});

dockerTest('asked to forget, tor loses what it remembers and no key', async () => {
  const files = ['state/state', 'state/cached-consensus', 'state/keys/k', 'onions/p2p/secret'];
  const made = files.map((file) => `mkdir -p /data/${dirname(file)}; : > /data/${file}`).join('\n');
  const left = await startTorAfter(
    `: > /config/torrc\nmkdir /data/run\n${made}\n: > /data/run/wipe-state`,
  );
  assert.deepEqual(
    left
      .split('\n')
      .filter((line) => line.startsWith('/'))
      .sort(),
    ['/data/onions/p2p/secret', '/data/state/keys/k'],
  );
});
