import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { test } from 'vitest';

const missing = process.env['SOTTO_TEST_NO_DOCKER'] ?? reason();

export const hasDocker = missing === undefined;

/** A test that needs a Docker engine; where there is none its title says that it is skipped, and why. */
export function dockerTest(title: string, run: () => Promise<void>): void {
  test.skipIf(missing)(missing === undefined ? title : `SKIPPED because ${missing}: ${title}`, run);
}

function reason(): string | undefined {
  const engine = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], {
    encoding: 'utf8',
  });
  if (engine.error) return 'there is no program docker';
  if (engine.status !== 0) return `no Docker engine answers: ${lastLine(engine.stderr)}`;
  const compose = spawnSync('docker', ['compose', 'version'], { encoding: 'utf8' });
  if (compose.status !== 0) return 'docker has no compose plugin';
  return undefined;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** What images are made upon in tests: a local Debian where no registry is asked. */
export const BASE_IMAGE = process.env['SOTTO_BASE_IMAGE'] ?? 'debian:trixie-slim';

/** Runs docker and gives back what it prints. @throws when it fails. */
export function docker(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}
