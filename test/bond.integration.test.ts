import { secp256k1 } from '@noble/curves/secp256k1.js';
import { p2wpkh, SigHash, Transaction } from '@scure/btc-signer';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { onTestFinished, test, vi } from 'vitest';
import { concatBytes, equalBytes, toBase64, toHex } from '../src/base/bytes.ts';
import { silent } from '../src/base/log.ts';
import { networkParams } from '../src/bitcoin/networks.ts';
import { parseTransaction } from '../src/bitcoin/transaction.ts';
import { certificateHash } from '../src/bond/bond-certificate.ts';
import { parseBondFile } from '../src/bond/bond-file.ts';
import { bondOutputScript, bondScript, type BondTerms } from '../src/bond/bond-script.ts';
import { verifyBond } from '../src/bond/verify-bond.ts';
import { bondCommand } from '../src/cli/commands/bond.ts';
import { RegtestChain } from '../src/devnet/chain.ts';
import { startChainServer } from '../src/devnet/chain-server.ts';
import { HeaderChain } from '../src/electrum/header-chain.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { testSeed } from './test-directory.ts';

const NODE = 'dced38f3ccc06fc6f92732ada32e1162';
const UNTIL = '2037-01-01';
const LOCKTIME = Date.parse(UNTIL) / 1000;
const EXPIRY = 27;
const secretKey = testSeed('bond');
const publicKey = secp256k1.getPublicKey(secretKey);
const SCRIPT = bondOutputScript({ publicKey, locktime: LOCKTIME });

test('coins locked on a chain are proved by its Electrum server, for whoever has the headers', async () => {
  const { chain, file, prove } = await setUp();
  const txid = chain.pay(SCRIPT, 50_000_000n);
  chain.mine(6);
  await prove('--expiry', String(EXPIRY), '--signature', signatureOf(EXPIRY));
  const claim = parseBondFile(readFileSync(file, 'utf8'));
  assert.equal(claim.nodeId, NODE);
  assert.equal(claim.bond.txid, txid);
  assert.equal(claim.bond.sats, 50_000_000);
  const { txid: proved, inputs } = parseTransaction(claim.proof.raw);
  assert.equal(proved, txid);
  assert.ok(inputs.every(({ witness }) => witness === undefined));
  verifyBond(claim, headersOf(chain));
});

test('what is missing for a bond is told, and nothing is written', async () => {
  const { chain, prove } = await setUp();
  const signed = ['--expiry', String(EXPIRY), '--signature', signatureOf(EXPIRY)];
  await assert.rejects(prove(...signed), /no block holds a payment to bcrt1q/);
  chain.pay(SCRIPT, 50_000_000n);
  await assert.rejects(prove(...signed), /no block holds a payment/);
  chain.mine(1);
  for (const args of [[], signed]) {
    await assert.rejects(prove(...args), /fewer than 6 confirmations/);
  }
  chain.mine(5);
  await assert.rejects(prove(), (error: { hint?: string }) =>
    Boolean(error.hint?.includes(`sotto-bond|${NODE}|${EXPIRY}\n`)),
  );
  await assert.rejects(prove('--expiry', '62'), /holds for too long/);
  const other = ['--expiry', String(EXPIRY), '--signature', signatureOf(EXPIRY + 1)];
  await assert.rejects(prove(...other), /did not sign the certificate/);
});

test('a payment too large for a proof is told, and a smaller one beside it is taken', async () => {
  const { chain, file, prove } = await setUp();
  const signed = ['--expiry', String(EXPIRY), '--signature', signatureOf(EXPIRY)];
  chain.broadcast(crowdedPayment(chain));
  chain.mine(6);
  await assert.rejects(prove(...signed), /has more than 15000 bytes without witnesses/);
  const txid = chain.pay(SCRIPT, 2_000_000n);
  chain.mine(6);
  await prove(...signed);
  assert.equal(parseBondFile(readFileSync(file, 'utf8')).bond.txid, txid);
});

test('the file of a bond that is not text is refused, and is no bug of the program', async () => {
  const { file } = await setUp();
  writeFileSync(file, Uint8Array.of(0xff, 0xfe));
  const showing = bondCommand().parseAsync(['show', file], { from: 'user' });
  await assert.rejects(showing, { name: 'DirectoryError', code: 'malformed' });
});

test('a devnet gives the coins back to their key, after their day and not before', () => {
  const DAY = 86_400_000;
  let now = Date.parse('2026-11-01');
  const chain = new RegtestChain({ seed: testSeed('chain'), clock: () => now });
  chain.mine(101);
  const terms = { publicKey, locktime: (now + 3 * DAY) / 1000 };
  const txid = chain.pay(bondOutputScript(terms), 50_000_000n);
  chain.mine(6);
  const spend = (lockTime: number, key = secretKey, sequence = 0xffff_fffd): Uint8Array =>
    spendingOf({ txid, chain, terms, lockTime, key, sequence });
  const refused = (raw: Uint8Array, why: RegExp): void => {
    assert.throws(() => chain.broadcast(raw), why);
  };
  const good = spend(terms.locktime);
  refused(good, /non-final/);
  refused(spend(terms.locktime - 3 * 86_400 - 7200), /script-verify/);
  now += 4 * DAY;
  chain.mine(11);
  refused(spend(terms.locktime - 1), /script-verify/);
  refused(spend(terms.locktime, testSeed('another key')), /script-verify/);
  refused(spend(terms.locktime, secretKey, 0xffff_ffff), /script-verify/);
  refused(spend(chain.tip.height), /script-verify/);
  chain.broadcast(good);
  chain.mine(1);
  assert.equal(chain.ledger.mempool.size, 0);
});

interface Spending {
  readonly txid: string;
  readonly chain: RegtestChain;
  readonly terms: BondTerms;
  readonly lockTime: number;
  readonly key: Uint8Array;
  readonly sequence: number;
}

/** Pays the coins of a bond to nobody in particular. */
function spendingOf({ txid, chain, terms, lockTime, key, sequence }: Spending): Uint8Array {
  const script = bondOutputScript(terms);
  const outputs = chain.ledger.entry(txid)?.transaction.outputs ?? [];
  const index = outputs.findIndex((output) => equalBytes(output.script, script));
  const amount = outputs[index]?.value ?? 0n;
  const transaction = new Transaction({
    lockTime,
    allowUnknownInputs: true,
    disableScriptCheck: true,
  });
  transaction.addInput({ txid, index, sequence, witnessUtxo: { script, amount } });
  transaction.addOutput({
    script: bondOutputScript({ ...terms, locktime: 1e9 }),
    amount: amount - 1000n,
  });
  const witnessScript = bondScript(terms);
  const digest = transaction.preimageWitnessV0(0, witnessScript, SigHash.ALL, amount);
  const signature = secp256k1.sign(digest, key, { prehash: false, format: 'der' });
  const stack = [concatBytes(signature, Uint8Array.of(SigHash.ALL)), witnessScript];
  transaction.updateInput(0, { finalScriptWitness: stack }, true);
  return transaction.extract();
}

/** Pays the bond in one of 500 outputs: more than a proof holds. */
function crowdedPayment(chain: RegtestChain): Uint8Array {
  const { script } = p2wpkh(publicKey);
  const txid = chain.pay(script, 40_000_000n);
  chain.mine(1);
  const outputs = chain.ledger.entry(txid)?.transaction.outputs ?? [];
  const index = outputs.findIndex((output) => equalBytes(output.script, script));
  const transaction = new Transaction();
  transaction.addInput({ txid, index, witnessUtxo: { script, amount: 40_000_000n } });
  transaction.addOutput({ script: SCRIPT, amount: 30_000_000n });
  for (let other = 0; other < 499; other++) transaction.addOutput({ script, amount: 1000n });
  transaction.sign(secretKey);
  transaction.finalize();
  return transaction.extract();
}

async function setUp() {
  const directory = await makeTemporaryDirectory();
  const chain = new RegtestChain({ seed: testSeed('chain'), clock: Date.now });
  chain.mine(101);
  const server = await startChainServer({ chain, host: '127.0.0.1', port: 0, log: silent });
  const output = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(async () => {
    output.mockRestore();
    await server[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });
  const file = join(directory.path, 'bond');
  const prove = async (...more: readonly string[]): Promise<void> => {
    const fixed = ['prove', file, '--json', '--network', 'regtest', '--node', NODE];
    const terms = ['--key', toHex(publicKey), '--until', UNTIL];
    const where = [
      '--server',
      `127.0.0.1:${server.port}`,
      '--state',
      join(directory.path, 'state'),
    ];
    await bondCommand().parseAsync([...fixed, ...terms, ...where, ...more], { from: 'user' });
  };
  return { chain, file, prove };
}

/** As a wallet shows it: base64 of the kind of address and the signature. */
function signatureOf(expiry: number): string {
  const hash = certificateHash({ nodeId: NODE, expiry });
  const signature = secp256k1.sign(hash, secretKey, { prehash: false });
  return toBase64(concatBytes(Uint8Array.of(32), signature));
}

function headersOf(chain: RegtestChain): HeaderChain {
  const headers = new HeaderChain(networkParams('regtest'), Date.now);
  headers.connect(1, concatBytes(...chain.blocks.slice(1).map(({ header }) => header)));
  return headers;
}
