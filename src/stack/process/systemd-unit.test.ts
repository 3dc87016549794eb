import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { makeTemporaryDirectory } from '../../io/temporary-directory.ts';
import { renderSystemdUnit, type SystemdUnitSettings } from './systemd-unit.ts';

function settings(changes: Partial<SystemdUnitSettings> = {}): SystemdUnitSettings {
  return {
    command: { command: '/usr/bin/node', args: ['/opt/sotto/main.js', 'run', '--home', '/srv/h'] },
    user: 'nobody',
    path: '/usr/local/bin:/usr/bin',
    writable: ['/srv/h', '/big/disk'],
    stopSeconds: 900,
    ...changes,
  };
}

test('a unit runs the supervisor, which writes to its own directories only', () => {
  const lines = renderSystemdUnit(settings()).split('\n');
  for (const line of [
    'ExecStart="/usr/bin/node" "/opt/sotto/main.js" "run" "--home" "/srv/h"',
    'Environment="PATH=/usr/local/bin:/usr/bin"',
    'ReadWritePaths="/srv/h" "/big/disk"',
    'TimeoutStopSec=900',
  ]) {
    assert.ok(lines.includes(line), line);
  }
});

test('what means something to systemd is escaped, and what cannot be is refused', () => {
  const unit = renderSystemdUnit(
    settings({
      command: { command: '/a b/%h/$n', args: ['/$HOME/"n"\\'] },
      writable: ['/a b/$HOME/%h'],
    }),
  );
  assert.ok(unit.includes('ExecStart="/a b/%%h/$n" "/$$HOME/\\"n\\"\\\\"\n'));
  assert.ok(unit.includes('ReadWritePaths="/a b/$HOME/%%h"\n'));
  assert.throws(
    () => renderSystemdUnit(settings({ user: 'x', path: '/a\nUser=root' })),
    RangeError,
  );
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

test.skipIf(!hasSystemd)('systemd finds nothing to say against it', async () => {
  await using directory = await makeTemporaryDirectory();
  const home = join(directory.path, 'a home%of $mine');
  mkdirSync(home);
  const program = join(home, 'node');
  writeFileSync(program, '#!/bin/sh\n');
  chmodSync(program, 0o755);
  const path = join(directory.path, 'sotto.service');
  const command = { command: program, args: ['run', '--home', home] };
  writeFileSync(path, renderSystemdUnit(settings({ command, writable: [home], user: 'root' })));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', path], {
    encoding: 'utf8',
  });
  assert.deepEqual([status, stdout, stderr], [0, '', '']);
});
