import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { readPolicy, socksOption, stateDirectory } from './client-options.ts';
import { wholeNumber } from './whole-number.ts';

test('a whole number is taken within its range, ends included', () => {
  const parse = wholeNumber(3, 500);
  for (const text of ['3', '0020', '500']) assert.equal(parse(text), Number(text));
  for (const text of ['2', '501', '-3', '4.0', '1e2', '0x10', ' 7', '']) {
    assert.throws(() => parse(text), InvalidArgumentError, text);
  }
});

test('the SOCKS port is an address, with tor’s own by default', () => {
  const parse = (...words: string[]): unknown => {
    const command = new Command().addOption(socksOption).exitOverride();
    command.configureOutput({ writeErr: () => undefined });
    return command.parse(words, { from: 'user' }).opts()['socks'];
  };
  assert.deepEqual(parse(), { host: '127.0.0.1', port: 9050 });
  assert.deepEqual(parse('--socks', '127.0.0.1:9150'), { host: '127.0.0.1', port: 9150 });
  for (const text of ['9050', '127.0.0.1:0', 'a b:1']) {
    assert.throws(() => parse('--socks', text), { code: 'commander.invalidArgument' }, text);
  }
});

test('state is kept where it was said, else apart for each network', () => {
  assert.equal(stateDirectory('/there', 'signet'), '/there');
  assert.match(stateDirectory(undefined, 'signet'), /\/sotto\/signet$/);
});

test('a policy that is not there or not one is told', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'policy');
  await assert.rejects(readPolicy(undefined), { name: 'UserError', hint: /--policy/ });
  await assert.rejects(readPolicy(path), {
    name: 'UserError',
    message: `there is no file ${path}`,
  });
  writeFileSync(path, 'nonsense\n');
  await assert.rejects(readPolicy(path), { name: 'UserError', message: /line 1 of the policy/ });
});
