// Looks up one address through the relay network, and says what the block chain proves.
// usage: node look-up.js POLICY_FILE SOCKS_PORT ADDRESS
import { readFile } from 'node:fs/promises';
import {
  LookupError,
  openRelayedLookup,
  parsePolicy,
  scriptHashOf,
  scriptOfAddress,
  silent,
  socksDial,
} from 'sotto';

const [policyFile = '', socksPort = '9050', address = ''] = process.argv.slice(2);
const signal = AbortSignal.timeout(120_000);

const lookup = await openRelayedLookup({
  policy: parsePolicy(await readFile(policyFile, 'utf8')),
  dial: socksDial({ host: '127.0.0.1', port: Number(socksPort) }),
  directory: './sotto-state',
  clock: Date.now,
  log: silent,
  signal,
});
try {
  const scriptHash = scriptHashOf(scriptOfAddress(address, 'regtest'));
  const history = await lookup.history(scriptHash, { signal });
  for (const { txid, height, proved } of history.entries) {
    console.log(txid, proved ? `in block ${height}` : 'unconfirmed');
  }
  console.log(`${history.confirmed} satoshis confirmed`);
} catch (error) {
  if (!(error instanceof LookupError)) throw error;
  console.error(error.message, error.culprit);
} finally {
  await lookup[Symbol.asyncDispose]();
}
