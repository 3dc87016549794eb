import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { test } from 'vitest';
import { parseYaml } from '../src/config/load-yaml.ts';
import { stackConfigSchema } from '../src/config/stack-config.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { writePlan } from '../src/stack/apply.ts';
import { homeAt } from '../src/stack/home.ts';
import { makePlan } from '../src/stack/plan.ts';
import { makeSecrets, onionAddresses } from '../src/stack/secrets.ts';

test.each(['', 'open_wallet: true', 'target: devnet'])(
  'tor takes the torrc of a plan in a home with spaces: %s',
  async (more) => {
    await using directory = await makeTemporaryDirectory();
    const home = homeAt(join(directory.path, 'my own server'));
    await mkdir(home.directory);
    const secrets = await makeSecrets(home);
    const yaml = `network: regtest\nbackend: process\n${more}`;
    const plan = makePlan({
      config: parseYaml({ path: 'sotto.yaml', text: yaml, schema: stackConfigSchema }),
      home,
      facts: {
        uid: process.getuid?.() ?? 0,
        gid: process.getgid?.() ?? 0,
        memoryMiB: 8192,
        onions: onionAddresses(secrets),
        targetRpc: secrets.targetRpc,
        initialSyncDone: true,
        images: { tor: '', bitcoind: '', target: '', node: '' },
      },
    });
    await writePlan({ plan, secrets });
    const [command, ...args] = plan.services[0]?.command ?? [''];
    const { all } = await execa(command, [...args, '--verify-config'], { all: true });
    assert.match(all, /Configuration was valid/);
    assert.doesNotMatch(all, /\[warn\](?!.*as root)/);
  },
);
