// Sees to it that a tor is installed that the demo, the tests and the process backend can run.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { isAtLeast, say, stop, succeeds } from './ready.js';

const TOR_FLOOR = [0, 4, 9];
const INSTALL = 'apt-get install -y --no-install-recommends tor';

provideTor();

function provideTor() {
  if (hasTor()) return;
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    say('installing tor from Debian');
    succeeds('apt-get', ['update', '-qq']);
    if (succeeds('sh', ['-c', `DEBIAN_FRONTEND=noninteractive ${INSTALL} >&2`]) && hasTor()) return;
  }
  stop(
    `Sotto needs tor ${TOR_FLOOR.join('.')} or newer with tor-gencert (found: ${torVersion() ?? 'none'}). Type:\n` +
      `  sudo apt-get update && sudo ${INSTALL}`,
  );
}

function hasTor() {
  const version = torVersion();
  if (version === undefined || !isAtLeast(version.split('.').map(Number), TOR_FLOOR)) return false;
  return spawnSync('sh', ['-c', 'command -v tor-gencert']).status === 0;
}

function torVersion() {
  const { stdout } = spawnSync('tor', ['--version'], { encoding: 'utf8' });
  return /Tor version (\d+(?:\.\d+)+)/.exec(stdout ?? '')?.[1];
}
