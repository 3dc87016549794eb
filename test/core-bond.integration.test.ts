import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import * as z from 'zod';
import { fromHex } from '../src/base/bytes.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { bondDescriptor } from '../src/bond/bond-descriptor.ts';
import { bondAddress } from '../src/bond/bond-script.ts';
import { type RpcClient } from '../src/bitcoin/rpc-client.ts';
import { startCoreDaemon } from '../src/devnet/core-daemon.ts';
import { findProgram } from '../src/io/find-program.ts';
import { startReaper } from '../src/io/reaper.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';

const command = await findProgram('bitcoind');
const { signal } = new AbortController();
const MONTH = 30 * 86_400;

describe.skipIf(command === undefined)(
  command === undefined
    ? 'SKIPPED because bitcoind cannot be found on PATH: a bond in Bitcoin Core'
    : 'a bond in Bitcoin Core',
  () => {
    const scope = new Scope();
    let rpc: RpcClient;

    beforeAll(async () => {
      const { path } = scope.use(await makeTemporaryDirectory());
      const reaper = scope.use(await startReaper());
      const directory = join(path, 'bitcoind');
      const options = { command: command ?? '', directory, signal, reaper };
      ({ rpc } = scope.use(await startCoreDaemon(options)));
    }, 60_000);
    afterAll(() => scope[Symbol.asyncDispose]());

    function ask<T extends z.ZodType>(result: T, method: string, ...params: unknown[]) {
      return rpc.call({ method, params, result, signal });
    }

    const text = z.string();
    const judged = z.array(z.looseObject({ allowed: z.boolean() })).min(1);
    const isAllowed = async (raw: string): Promise<unknown> => {
      const [found] = await ask(judged, 'testmempoolaccept', [raw]);
      return found?.['reject-reason'] ?? found?.allowed;
    };

    test('its descriptor is a script of Core, which spends the coins after their time and not before', async () => {
      const key = z.looseObject({ pubkey: text, hdkeypath: text, hdmasterfingerprint: text });
      await ask(z.unknown(), 'createwallet', 'operator');
      const home = await ask(text, 'getnewaddress', '', 'bech32');
      const { pubkey, hdkeypath, hdmasterfingerprint } = await ask(key, 'getaddressinfo', home);
      const chain = z.looseObject({ mediantime: z.int() });
      await ask(z.unknown(), 'generatetoaddress', 101, home);
      const { mediantime } = await ask(chain, 'getblockchaininfo');
      const terms = { locktime: mediantime + MONTH, publicKey: fromHex(pubkey) };
      const origin = `${hdmasterfingerprint}${hdkeypath.slice(1)}`;
      const descriptor = bondDescriptor(terms, origin);
      const address = bondAddress(terms, 'regtest');
      assert.deepEqual(await ask(z.array(text), 'deriveaddresses', descriptor), [address]);

      const txid = await ask(text, 'sendtoaddress', address, 0.5);
      await ask(z.unknown(), 'generatetoaddress', 6, home);
      const outputs = z.looseObject({
        vout: z.array(z.looseObject({ n: z.int(), value: z.number() })),
      });
      const paid = await ask(outputs, 'getrawtransaction', txid, true);
      const vout = paid.vout.find(({ value }) => value === 0.5)?.n;
      const inputs = [{ txid, vout, sequence: 0xffff_fffd }];
      const spent = await ask(text, 'createpsbt', inputs, [{ [home]: 0.499 }], terms.locktime);
      const described = await ask(text, 'utxoupdatepsbt', spent, [descriptor]);
      const signed = z.looseObject({ complete: z.literal(true), hex: text });
      const { hex } = await ask(signed, 'walletprocesspsbt', described);

      assert.equal(await isAllowed(hex), 'non-final');
      await ask(z.unknown(), 'setmocktime', terms.locktime + 1);
      await ask(z.unknown(), 'generatetoaddress', 6, home);
      assert.equal(await isAllowed(hex), true);
      await ask(text, 'sendrawtransaction', hex);
    }, 60_000);
  },
);
