import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { startReaper } from '../src/io/reaper.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { writePlan } from '../src/stack/apply.ts';
import { openOrBeginStack, type Stack } from '../src/stack/open-stack.ts';
import { BASE_IMAGE } from './docker-engine.ts';

export interface DockerServer extends AsyncDisposable {
  readonly stack: Stack;
}

export interface DockerServerOptions {
  readonly project: string;
  readonly networkPrefix: string;
  readonly signal: AbortSignal;
}

const DOWN_MS = 120_000;

/**
 * A personal server with the devnet as its target, in containers. Its tor looks for the public
 * network, and need not find it: for tests of everything but tor.
 */
export async function startDockerServer(options: DockerServerOptions): Promise<DockerServer> {
  const { project, networkPrefix, signal } = options;
  process.env['SOTTO_BASE_IMAGE'] ??= BASE_IMAGE;
  await using scope = new Scope();
  const reaper = scope.use(await startReaper());
  const { path } = scope.use(await makeTemporaryDirectory());
  reaper.watchDirectory(path);
  const docker = `{ project: ${project}, network_prefix: ${networkPrefix} }`;
  const yaml = `network: regtest\ntarget: devnet\ndocker: ${docker}\n`;
  await writeFile(join(path, 'sotto.yaml'), yaml);
  const stack = await openOrBeginStack(path, { log: silent });
  scope.defer(() => stack.backend.down({ signal: AbortSignal.timeout(DOWN_MS) }));
  await writePlan(stack);
  await stack.backend.up({ signal });
  const started = scope.move();
  return { stack, [Symbol.asyncDispose]: () => started[Symbol.asyncDispose]() };
}
