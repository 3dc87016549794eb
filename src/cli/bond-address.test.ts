import { secp256k1 } from '@noble/curves/secp256k1.js';
import assert from 'node:assert/strict';
import process from 'node:process';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { concatBytes, toBase64, toHex } from '../base/bytes.ts';
import { certificateHash } from '../bond/bond-certificate.ts';
import { bondAddressCommand } from './bond-address.ts';

const NODE = 'dced38f3ccc06fc6f92732ada32e1162';
const secretKey = new Uint8Array(32).fill(7);
const KEY = toHex(secp256k1.getPublicKey(secretKey));
const NO_POINT = `02${'ff'.repeat(32)}`;
const EXPIRY = 494;

let printed: string;
let noted: string;

beforeEach(() => {
  printed = '';
  noted = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    noted += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function address(...args: readonly string[]): Promise<void> {
  const command = bondAddressCommand().exitOverride();
  await command.parseAsync(['--network', 'mainnet', ...args], { from: 'user' });
}

function dayIn(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

test('no address is made of a key that nobody can have', async () => {
  const usage = { code: 'commander.invalidArgument' };
  await assert.rejects(address('--key', NO_POINT, '--until', dayIn(400)), usage);
  assert.match(noted, /Nobody can have this key/);
  assert.equal(printed, '');
});

test('the address that the key must have come from is shown before anything is paid', async () => {
  await address('--key', KEY, '--until', dayIn(400));
  assert.match(printed, /^bc1q[a-z0-9]{58}\n$/);
  assert.match(noted, /The key is that of bc1q[a-z0-9]{38}\nThis must be the address you took/);
  printed = '';
  await address('--key', KEY, '--until', dayIn(400), '--json');
  const { keyAddress } = JSON.parse(printed) as { keyAddress: string };
  assert.ok(noted.includes(keyAddress));
});

test.each(['1980-01-01', '2020-01-01', dayIn(0), '2038-01-20', '2027-02-30', 'soon'])(
  'coins cannot be locked until %s',
  async (day) => {
    const usage = { code: 'commander.invalidArgument' };
    await assert.rejects(address('--key', KEY, '--until', day), usage);
  },
);

test('a lock of more than two years is told with its year and its days', async () => {
  await address('--key', KEY, '--until', dayIn(700));
  assert.doesNotMatch(noted, /WARNING/);
  const day = dayIn(1000);
  await address('--key', KEY, '--until', day, '--json');
  assert.match(noted, new RegExp(`WARNING: that is in the year ${day.slice(0, 4)}, 1000 days`));
});

test('the signed message is checked before anything is paid', async () => {
  const terms = ['--key', KEY, '--until', dayIn(400), '--node', NODE];
  await assert.rejects(address(...terms), { name: 'UserError', hint: /--expiry/ });
  await address(...terms, '--expiry', String(EXPIRY));
  assert.match(noted, new RegExp(`sotto-bond\\|${NODE}\\|${EXPIRY}\n`));
  const signed = signatureOf(EXPIRY);
  await address(...terms, '--expiry', String(EXPIRY), '--signature', signed);
  assert.match(noted, /That address has signed for your node/);
  printed = '';
  const later = [...terms, '--expiry', String(EXPIRY + 1), '--signature', signed];
  await assert.rejects(address(...later), /did not sign the certificate/);
  assert.equal(printed, '');
});

/** As a wallet shows it: base64 of the kind of address and the signature. */
function signatureOf(expiry: number): string {
  const hash = certificateHash({ nodeId: NODE, expiry });
  const signature = secp256k1.sign(hash, secretKey, { prehash: false });
  return toBase64(concatBytes(Uint8Array.of(32), signature));
}
