import assert from 'node:assert/strict';
import { test } from 'vitest';
import { UserError } from '../../base/errors.ts';
import { parseYaml } from '../../config/load-yaml.ts';
import { stackConfigSchema } from '../../config/stack-config.ts';
import { renderStackConfig } from '../stack-config-text.ts';
import { configFrom } from './choices.ts';

test('what is chosen is what the written file says', () => {
  const config = configFrom({
    network: 'signet',
    target: 'electrs',
    storage: '/mnt/disk/sotto',
    exposeLan: '192.168.1.5:50001',
    policy: '/etc/policy',
    torTestNetwork: '/tmp/network.json',
    project: 'mine',
    networkPrefix: '10.99.1',
    firstPort: 30_000,
  });
  const text = renderStackConfig(config);
  assert.deepEqual(parseYaml({ path: 'x', text, schema: stackConfigSchema }), config);
});

test('all that will not do is told at once, by the flag it came from', () => {
  const choices = {
    network: 'mainnet',
    project: 'Ä',
    firstPort: 1,
    policy: 'here',
    storage: 'here',
  };
  assert.throws(
    () => configFrom(choices),
    (error) => {
      assert.ok(error instanceof UserError);
      for (const flag of ['--project', '--first-port', '--policy', '--storage']) {
        assert.match(error.hint ?? '', new RegExp(flag));
      }
      return true;
    },
  );
});

test('devnet is for regtest', () => {
  assert.throws(() => configFrom({ network: 'mainnet', target: 'devnet' }), UserError);
});
