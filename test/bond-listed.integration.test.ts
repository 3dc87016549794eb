import { secp256k1 } from '@noble/curves/secp256k1.js';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { concatBytes, toBase64, toHex } from '../src/base/bytes.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { networkParams } from '../src/bitcoin/networks.ts';
import { certificateHash } from '../src/bond/bond-certificate.ts';
import { bondAddress } from '../src/bond/bond-script.ts';
import { bondCommand } from '../src/cli/commands/bond.ts';
import type { NodeConfig } from '../src/config/node-config.ts';
import type { Consensus, ConsensusNode } from '../src/directory/consensus.ts';
import { type NodeId, nodeIdOf } from '../src/directory/node-id.ts';
import { signingKeyFromSeed } from '../src/directory/signing-key.ts';
import { HeaderChain } from '../src/electrum/header-chain.ts';
import { type Address, formatAddress } from '../src/io/dial.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { socksDial } from '../src/io/socks-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { BondChecks, type Choice } from '../src/lookup/bond-checks.ts';
import { FaultLog } from '../src/lookup/fault-log.ts';
import { syncFromRelays } from '../src/lookup/relay-headers.ts';
import { RelayPool } from '../src/lookup/relay-pool.ts';
import { openNodeKeys } from '../src/node/node-keys.ts';
import { startNode } from '../src/node/start-node.ts';
import { onionKeyFromSeed } from '../src/tor/onion-key.ts';
import { AuthorityProcesses } from './authority-processes.ts';
import { startOnionMap } from './onion-map.ts';
import { testSeed } from './test-directory.ts';

/** A slot every 12 s. */
const TIMELINE = { periodSeconds: 12, validSeconds: 120, voteSeconds: 5, signSeconds: 2 };
const SATS = 50_000_000;
const ONE_BOND_IS_ENOUGH = { 'bonded-from-families': 1, 'bonded-from-sats': SATS };
const UNTIL = '2037-01-01';
const EXPIRY = 27;
const { signal } = new AbortController();

let scope: Scope;
let directory: string;
/** Where the onions of this network lead to. */
let ports: Map<string, number>;
let socks: Address;

beforeEach(async () => {
  scope = new Scope();
  directory = scope.use(await makeTemporaryDirectory()).path;
  ports = new Map();
  socks = scope.use(await startOnionMap(ports));
  const output = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  scope.defer(() => {
    output.mockRestore();
    return Promise.resolve();
  });
});
afterEach(() => scope[Symbol.asyncDispose]());

interface Planned {
  readonly nodeId: NodeId;
  readonly config: NodeConfig;
}

async function planned(name: string, target: Address): Promise<Planned> {
  const [port = 0] = await findFreePorts(1);
  const dataDirectory = join(directory, name);
  const { onion, identity } = await openNodeKeys(dataDirectory);
  ports.set(onionKeyFromSeed(onion).address, port);
  return {
    nodeId: nodeIdOf(signingKeyFromSeed(identity).publicKey),
    config: {
      network: 'regtest',
      dataDirectory,
      makeKeys: false,
      listen: { host: '127.0.0.1', port },
      expectProxyHeader: false,
      target,
      socks,
      policyFile: join(directory, 'policy'),
      leave: false,
      family: [],
      epochSeconds: 86_400,
      cellTimeoutMs: 1000,
    },
  };
}

/** What an operator does: pays the address, signs for the node, and has the file written. */
async function bond(nodeId: NodeId, authorities: AuthorityProcesses): Promise<string> {
  const secretKey = testSeed(`bond of ${nodeId}`);
  const publicKey = secp256k1.getPublicKey(secretKey);
  const address = bondAddress({ publicKey, locktime: Date.parse(UNTIL) / 1000 }, 'regtest');
  await authorities.chain.pay(address, BigInt(SATS));
  await authorities.chain.mine(6);
  const hash = certificateHash({ nodeId, expiry: EXPIRY });
  const signature = secp256k1.sign(hash, secretKey, { prehash: false });
  const file = join(directory, `bond of ${nodeId}`);
  const options = {
    '--network': 'regtest',
    '--node': nodeId,
    '--key': toHex(publicKey),
    '--until': UNTIL,
    '--server': formatAddress(authorities.target),
    '--state': join(directory, 'state'),
    '--expiry': String(EXPIRY),
    '--signature': toBase64(concatBytes(Uint8Array.of(32), signature)),
  };
  const args = ['prove', file, '--json', ...Object.entries(options).flat()];
  await bondCommand().parseAsync(args, { from: 'user' });
  return file;
}

test('coins locked on a devnet are counted by authorities, listed, and proved again to a client by another node', async () => {
  const authorities = scope.use(
    await AuthorityProcesses.found({
      count: 3,
      directory,
      timeline: TIMELINE,
      params: ONE_BOND_IS_ENOUGH,
      expectProxyHeader: false,
      connect(places) {
        for (const { onion, listen } of places) ports.set(onion.host, listen.port);
        return Promise.resolve(places.map(() => socks));
      },
    }),
  );
  await Promise.all(authorities.all.map((each) => each.start()));
  const { target } = authorities;
  const [locked, plain] = await Promise.all(
    ['locked', 'plain'].map((name) => planned(name, target)),
  );
  assert.ok(locked && plain);
  const bondFile = await bond(locked.nodeId, authorities);
  const deps = { clock: Date.now, log: silent, signal, software: 'sotto/test' };
  scope.use(await startNode({ ...locked.config, bondFile }, deps));
  scope.use(await startNode(plain.config, deps));

  const dial = socksDial(socks);
  let consensus: Consensus | undefined;
  let [one, other]: (ConsensusNode | undefined)[] = [];
  while (one?.flags.has('Bonded') !== true) {
    const after = consensus?.epoch ?? 0;
    consensus = await authorities.agreed(authorities.all, { after, nodes: 2, dial });
    [one, other] = [consensus.node(locked.nodeId), consensus.node(plain.nodeId)];
  }
  assert.ok(consensus && other);
  assert.ok(one.weight > 0 && one.weight <= SATS);
  assert.equal(other.weight, Math.floor(one.weight / 9));
  assert.ok(!other.flags.has('Bonded'));

  const { hash } = consensus;
  const through = other;
  const faults = new FaultLog();
  const pool = scope.use(
    new RelayPool({
      dial,
      network: 'regtest',
      session: 'test',
      consensusHash: () => hash,
      clock: Date.now,
      connectMs: 5000,
      answerMs: 5000,
    }),
  );
  const chain = new HeaderChain(networkParams('regtest'), Date.now);
  await syncFromRelays([one, other], { chain, pool, faults, signal, onProgress: () => undefined });
  const checking = { consensus, purpose: 'lookup', signal } as const;
  const client = (): BondChecks =>
    scope.use(
      new BondChecks({
        pool,
        chain,
        syncOnce: () => Promise.resolve(),
        faults,
        clock: Date.now,
      }),
    );
  assert.equal(await client().mayUse(one, checking), true);
  const throughOther: Choice<number | undefined> = {
    newcomers: (judged) => {
      const node = judged.node(locked.nodeId);
      return node === undefined ? [] : [{ node, relays: [through] }];
    },
    choose: (judged) => judged.node(locked.nodeId)?.weight,
  };
  const { weight } = one;
  await waitUntil(
    async () => (await client().chosen(throughOther, checking)) === weight || undefined,
    { what: 'the bond at the other node', timeoutMs: 30_000, intervalMs: 300, signal },
  );
}, 150_000);
