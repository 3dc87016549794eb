import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'vitest';
import { parseYaml } from '../src/config/load-yaml.ts';
import { stackConfigSchema } from '../src/config/stack-config.ts';
import { renderStackConfig } from '../src/stack/stack-config-text.ts';

const ROOT = new URL('..', import.meta.url);
const GUIDE = readFileSync(new URL('docs/configuration.md', ROOT), 'utf8');
const GOLDEN = readdirSync(new URL('test/golden', ROOT)).map((name) =>
  readFileSync(new URL(`test/golden/${name}`, ROOT), 'utf8'),
);

/** What the first column of a section's table names, in its order. */
function namedIn(heading: string): readonly string[] {
  const section = GUIDE.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const cells = [...section.matchAll(/^\| (`[^|]+`) \|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

/** What the lines of a rendered file begin with, in all plans. */
function namesOf(file: string, pattern: RegExp): ReadonlySet<string> {
  const texts = GOLDEN.flatMap((golden) => golden.split('==> ')).filter(
    (text) => text.split('\n')[0]?.endsWith(file) === true,
  );
  return new Set(
    texts.flatMap((text) =>
      [...text.slice(text.indexOf('\n')).matchAll(pattern)].map(([, name = '']) => name),
    ),
  );
}

test.each([
  ['torrc', 'config/tor/torrc', /^([A-Za-z_]+) /gm],
  ['bitcoin.conf', 'config/bitcoind/bitcoin.conf', /^([a-z0-9]+(?==)|\[[a-z0-9]+\])/gm],
  ['fulcrum.conf', 'config/target/fulcrum.conf', /^([a-z_]+) = /gm],
  ['electrs.toml', 'config/target/electrs.toml', /^([a-z0-9_]+) = /gm],
  ['.env', '.env', /^([A-Z_]+)=/gm],
])('the guide explains every line of %s once, and no other', (heading, file, pattern) => {
  const names = namesOf(file, pattern);
  assert.deepEqual([...namedIn(heading)].sort(), [...names].sort());
  assert.ok(names.size > 5);
});

test('the guide explains every key of sotto.yaml once, and no other', () => {
  const config = parseYaml({ path: '', text: 'network: mainnet', schema: stackConfigSchema });
  const keys: string[] = [];
  let above = '';
  // Of the file as `sotto init` writes it, with what stands there as a comment.
  for (const line of renderStackConfig(config).split('\n')) {
    const [, indent, key] = /^#?( {2})?([a-z_]+):/.exec(line) ?? [];
    if (key === undefined) continue;
    if (indent === undefined) above = key;
    keys.push(indent === undefined ? key : `${above}.${key}`);
  }
  // Neither says anything by itself.
  const groups = ['tor', 'docker', 'process'];
  const said = [...keys.filter((key) => !groups.includes(key)), 'process.programs'];
  assert.deepEqual([...namedIn('sotto.yaml')].sort(), said.sort());
});
