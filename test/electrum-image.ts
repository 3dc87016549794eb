import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { test } from 'vitest';
import { docker, hasDocker } from './docker-engine.ts';

/** Debian's newest Electrum, as `.ci/docker-engine` makes it. */
const ELECTRUM_IMAGE = 'sotto-test-electrum:sid';

const missing = reason();

export const hasElectrumImage = missing === undefined;

/** A test that says in its title that it is skipped where there is no such image, and why. */
export function newElectrumTest(title: string, run: () => Promise<void>): void {
  test.skipIf(missing)(missing === undefined ? title : `SKIPPED because ${missing}: ${title}`, run);
}

function reason(): string | undefined {
  if (!hasDocker) return 'there is no Docker engine';
  const { status } = spawnSync('docker', ['image', 'inspect', ELECTRUM_IMAGE]);
  return status === 0
    ? undefined
    : `there is no image ${ELECTRUM_IMAGE}, which .ci/docker-engine makes`;
}

const LABEL = `sotto.test-electrum=${process.pid}`;

/** How a container is started as Electrum, which reaches the ports of this machine and no others' files. */
export function electrumInContainer(directory: string): readonly [string, ...string[]] {
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  return [
    'docker',
    ...['run', '--rm', '--init', '--label', LABEL, '--network', 'host', '--user', user],
    ...['--volume', `${directory}:${directory}`, '--env', `HOME=${directory}`],
    ...[ELECTRUM_IMAGE, 'electrum'],
  ];
}

/** What a test leaves behind when its `docker run` was killed. */
export function removeElectrums(): void {
  const left = docker('ps', '--all', '--quiet', '--filter', `label=${LABEL}`);
  if (left !== '') docker('rm', '--force', ...left.split('\n'));
}
