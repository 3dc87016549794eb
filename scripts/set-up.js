// Makes a fresh clone ready: packages from the lock file, a build, and tor. Needs nothing but Node.
// Everything it prints goes to stderr, so that a command run after it owns stdout.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';

const NODE_FLOOR = [20, 19];
const TOR_FLOOR = [0, 4, 9];
const BUILD_STAMP = 'dist/.built';

process.chdir(new URL('..', import.meta.url).pathname);

requireNode();
installPackages();
build();
provideTor();

function requireNode() {
  const have = process.versions.node.split('.').map(Number);
  if (isAtLeast(have, NODE_FLOOR)) return;
  stop(`Sotto needs Node ${NODE_FLOOR.join('.')} or newer; this is ${process.versions.node}.`);
}

function installPackages() {
  const installed = 'node_modules/.package-lock.json';
  if (existsSync(installed) && modified(installed) >= modified('package-lock.json')) return;
  say('installing packages from the lock file');
  if (!succeeds('npm', ['ci', '--no-audit', '--no-fund'])) stop('npm ci failed; see above.');
}

function build() {
  const sources = [
    ...filesBelow('src'),
    'tsconfig.json',
    'tsconfig.build.json',
    'package-lock.json',
  ];
  const newest = Math.max(...sources.map(modified));
  if (existsSync(BUILD_STAMP) && modified(BUILD_STAMP) >= newest) return;
  say('building');
  rmSync('dist', { recursive: true, force: true });
  if (!succeeds('npm', ['run', '--silent', 'build'])) stop('The build failed; see above.');
  writeFileSync(BUILD_STAMP, '');
}

function provideTor() {
  if (hasTor()) return;
  const install = 'apt-get install -y --no-install-recommends tor';
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    say('installing tor from Debian');
    succeeds('apt-get', ['update', '-qq']);
    if (succeeds('sh', ['-c', `DEBIAN_FRONTEND=noninteractive ${install} >&2`]) && hasTor()) return;
  }
  stop(
    `Sotto needs tor ${TOR_FLOOR.join('.')} or newer with tor-gencert (found: ${torVersion() ?? 'none'}). Type:\n` +
      `  sudo apt-get update && sudo ${install}`,
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

function isAtLeast(have, floor) {
  for (const [index, wanted] of floor.entries()) {
    if ((have[index] ?? 0) !== wanted) return (have[index] ?? 0) > wanted;
  }
  return true;
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: ['ignore', 2, 2] }).status === 0;
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);
}

function modified(path) {
  return statSync(path).mtimeMs;
}

function say(what) {
  process.stderr.write(`sotto: ${what}\n`);
}

function stop(why) {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}
