import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, test } from 'vitest';
import { UserError } from '../../base/errors.ts';
import { Scope } from '../../base/lifecycle.ts';
import { makeTemporaryDirectory } from '../../io/temporary-directory.ts';
import { findEngine, requireEngine, tooOld } from './engine.ts';

const signal = AbortSignal.timeout(10_000);
const PATH = process.env['PATH'] ?? '';

const scope = new Scope();

afterEach(async () => {
  process.env['PATH'] = PATH;
  await scope[Symbol.asyncDispose]();
});

interface Said {
  /** Of `docker version`. */
  readonly engine: string;
  /** Of `docker compose version`. */
  readonly compose: string;
}

/** Puts a program docker on PATH that says these things. */
async function pretend({ engine, compose }: Said): Promise<void> {
  const directory = scope.use(await makeTemporaryDirectory());
  const program = join(directory.path, 'docker');
  await writeFile(program, `#!/bin/sh\nif [ "$1" = version ]; then ${engine}; fi\n${compose}\n`);
  await chmod(program, 0o755);
  process.env['PATH'] = `${directory.path}:${PATH}`;
}

const ENGINE = `echo '{"Client":{"Version":"28.2.2"},"Server":{"Version":"20.10.24+dfsg1","Arch":"amd64"}}'; exit`;
const COMPOSE = 'echo 2.26.1-4';

test('an engine is found with the versions of its parts', async () => {
  await pretend({ engine: ENGINE, compose: COMPOSE });
  assert.deepEqual(await requireEngine(signal), {
    version: '20.10.24+dfsg1',
    architecture: 'amd64',
    composeVersion: '2.26.1-4',
  });
});

test('each way to be without Docker says what to type', async () => {
  const cases: readonly (readonly [Said, RegExp, RegExp])[] = [
    [
      { engine: 'echo "Cannot connect to the Docker daemon at x" >&2; exit 1', compose: COMPOSE },
      /does not run/,
      /systemctl/,
    ],
    [
      {
        engine: 'echo "permission denied while trying to connect to x" >&2; exit 1',
        compose: COMPOSE,
      },
      /may not use/,
      /usermod/,
    ],
    [{ engine: ENGINE, compose: 'echo Usage: docker' }, /no compose/, /apt-get/],
    [{ engine: ENGINE, compose: 'echo 1.29.2' }, /Compose 1.29.2 is too old/, /https:/],
  ];
  for (const [said, message, hint] of cases) {
    await pretend(said);
    await assert.rejects(requireEngine(signal), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      assert.match(error.hint ?? '', hint);
      return true;
    });
  }
});

test('without the program docker the person is told how to install it', async () => {
  process.env['PATH'] = '/nonexistent';
  await assert.rejects(findEngine(signal), /Docker is not installed/);
});

test('versions are compared number by number', () => {
  const engine = { version: '20.10.0', composeVersion: '2.20.0', architecture: 'amd64' };
  assert.deepEqual(tooOld(engine), []);
  assert.deepEqual(tooOld({ ...engine, version: '100.0', composeVersion: '10.0.0-rc.1' }), []);
  assert.equal(tooOld({ ...engine, version: '20.9.9' }).length, 1);
  assert.equal(tooOld({ ...engine, version: '19.03.15', composeVersion: '2.3.4' }).length, 2);
});
