import assert from 'node:assert/strict';
import { beforeAll, test } from 'vitest';
import { type ProbedChain, probedChain } from '../../test/probed-chain.ts';
import { seededNumbers } from '../../test/seeded-numbers.ts';
import { type ElectrumClient } from '../electrum/client.ts';
import { ElectrumRpcError } from '../electrum/rpc-error.ts';
import { AskedScripts } from './asked-scripts.ts';
import { KnownScripts } from './known-scripts.ts';

const GATEWAY = 'a1'.repeat(16);
const { signal } = new AbortController();

let probed: ProbedChain;
beforeAll(() => {
  probed = probedChain();
});

type Change = (answer: unknown, method: string, params: object) => unknown;

/** The target, of which some answers are other ones. */
function targetThatSays(change: Change): Pick<ElectrumClient, 'call'> {
  const call: ElectrumClient['call'] = async (method, params, options) =>
    change(await probed.client.call(method, params, options), method, params) as never;
  return { call };
}

function knownScripts(client: Pick<ElectrumClient, 'call'> = probed.client): KnownScripts {
  const { headers } = probed;
  const uniform = seededNumbers(7);
  const random = (below: number): number => Math.floor(uniform() * below);
  const asked = new AskedScripts('nowhere', []);
  return new KnownScripts({ network: 'regtest', client, chain: headers.chain, asked, random });
}

const drawMany = async (scripts: KnownScripts, count: number): Promise<readonly string[]> => {
  const drawn: string[] = [];
  while (drawn.length < count) {
    drawn.push((await scripts.draw(GATEWAY, { signal })).scriptHash);
  }
  return drawn;
};

test('what is asked is a script of the chain, with its history up to the newest block', async () => {
  const { scriptHash, items, tip } = await knownScripts().draw(GATEWAY, { signal });
  assert.ok(probed.paid.includes(scriptHash));
  const { ledger } = probed.chain;
  assert.deepEqual(
    items.map(({ txid }) => txid),
    ledger.history(scriptHash).map(({ txid }) => txid),
  );
  assert.equal(tip.hash, probed.chain.tip.hash);
});

test('a gateway is asked about the same few scripts again and again, and now and then about a new one', async () => {
  const drawn = await drawMany(knownScripts(), 200);
  const newOnes = drawn.filter((each, index) => drawn.indexOf(each) === index);
  assert.ok(newOnes.length > 4 && newOnes.length < 50, `${newOnes.length} scripts`);
  const lately = new Set(drawn.slice(-20));
  assert.ok(lately.size < 10, `${lately.size} scripts`);
});

test('a history that has become long is not asked for any more', async () => {
  const longOnes = new Set(await drawMany(knownScripts(), 4));
  const item = { tx_hash: '00'.repeat(32), height: 1 };
  const target = targetThatSays((answer, _, params) =>
    'scripthash' in params && longOnes.has(String(params.scripthash))
      ? Array.from({ length: 33 }, () => item)
      : answer,
  );
  const drawn = await drawMany(knownScripts(target), 40);
  assert.ok(drawn.every((each) => !longOnes.has(each)));
});

test('on a chain without payments the question is about a script that nobody has used', async () => {
  const empty = { tx_hash: '00'.repeat(32), merkle: [] };
  const target = targetThatSays((answer, method) =>
    method === 'blockchain.transaction.id_from_pos' ? empty : answer,
  );
  const { items } = await knownScripts(target).draw(GATEWAY, { signal });
  assert.deepEqual(items, []);
});

test('a target that refuses some questions is asked others', async () => {
  const refused = new Map<string, number>();
  const target = targetThatSays((answer, method) => {
    const times = refused.get(method) ?? 0;
    if (times === 3) return answer;
    refused.set(method, times + 1);
    throw new ElectrumRpcError(1, 'too much, or not there');
  });
  const scripts = knownScripts(target);
  const { items } = await scripts.draw(GATEWAY, { signal });
  assert.ok(items.length > 0);
  assert.equal(refused.size, 3);
});

test('a target that does not answer gives no question, and says nothing of the gateway', async () => {
  const silent = { call: () => Promise.reject(new ElectrumRpcError(1, 'off')) };
  await assert.rejects(knownScripts(silent).draw(GATEWAY, { signal }), {
    name: 'ProbeError',
    kind: 'unclear',
  });
});

test('the target is believed only as far as the headers prove it', async () => {
  const scripts = knownScripts();
  const known = await scripts.draw(GATEWAY, { signal });
  const [item] = known.items;
  assert.ok(item);
  assert.equal(await scripts.isProved(item, known, { signal }), true);
  const target = targetThatSays((answer, method) =>
    method === 'blockchain.transaction.get_merkle'
      ? { ...(answer as object), merkle: ['11'.repeat(32)] }
      : answer,
  );
  assert.equal(await knownScripts(target).isProved(item, known, { signal }), false);
});

test('nor that a transaction of the chain is of the script, or has other bytes than its own', async () => {
  const scripts = knownScripts();
  const { ledger } = probed.chain;
  const [one, other] = probed.paid;
  assert.ok(one !== undefined && other !== undefined);
  const items = [...ledger.history(one), ...ledger.history(other)];
  const known = { scriptHash: one, tip: probed.headers.chain.tip, items };
  const proved = items.map((item) => scripts.isProved(item, known, { signal }));
  assert.deepEqual(
    await Promise.all(proved),
    items.map((_, index) => index < ledger.history(one).length),
  );
  const raw = (txid: string) => ({ tx_hash: txid, verbose: false });
  const paying = items[0]?.txid ?? '';
  const bytes = await probed.client.call('blockchain.transaction.get', raw(paying), { signal });
  const liar = targetThatSays((answer, method) =>
    method === 'blockchain.transaction.get' ? bytes : answer,
  );
  const [last] = ledger.history(other);
  assert.ok(last);
  assert.equal(await knownScripts(liar).isProved(last, known, { signal }), false);
});
