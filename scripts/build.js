// Makes a clone ready to run: packages from the lock file, and a build. Needs nothing but Node.
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { isAtLeast, say, stop, succeeds } from './ready.js';

const NODE_FLOOR = [20, 19];
const BUILD_STAMP = 'dist/.built';

const calledFrom = process.cwd();
process.chdir(new URL('..', import.meta.url).pathname);
requireNode();
installPackages();
build();
process.chdir(calledFrom);

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

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);
}

function modified(path) {
  return statSync(path).mtimeMs;
}
