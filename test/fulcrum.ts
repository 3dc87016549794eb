import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import * as z from 'zod';
import type { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { startCoreDaemon } from '../src/devnet/core-daemon.ts';
import { startCoreElectrum } from '../src/devnet/core-electrum.ts';
import type { EmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { type ElectrumClient, startElectrumClient } from '../src/electrum/client.ts';
import type { ElectrumMethod } from '../src/electrum/protocol.ts';
import type { ProtocolRange } from '../src/electrum/protocol-version.ts';
import { ElectrumRpcError } from '../src/electrum/rpc-error.ts';
import { type Address, DialError } from '../src/io/dial.ts';
import { findProgram } from '../src/io/find-program.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { startReaper } from '../src/io/reaper.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';

const [bitcoind, fulcrum] = await Promise.all([findProgram('bitcoind'), findProgram('Fulcrum')]);
const { signal } = new AbortController();
setMaxListeners(0, signal);

/** Whether bitcoind and Fulcrum are both on PATH. */
export const hasFulcrum = bitcoind !== undefined && fulcrum !== undefined;

/** The title of a test that needs them, which says aloud when it is skipped. */
export function fulcrumTitle(title: string): string {
  return hasFulcrum ? title : `SKIPPED because bitcoind and Fulcrum are not both on PATH: ${title}`;
}

export type Question = readonly [method: ElectrumMethod, params: Record<string, unknown>];

/** Fulcrum over bitcoind, which is given the blocks and the mempool of the devnet. */
export async function startFulcrum(devnet: EmbeddedChain, scope: Scope): Promise<Address> {
  assert.ok(bitcoind !== undefined && fulcrum !== undefined);
  const { path } = scope.use(await makeTemporaryDirectory());
  const reaper = scope.use(await startReaper());
  const daemon = scope.use(
    await startCoreDaemon({ command: bitcoind, directory: join(path, 'core'), signal, reaper }),
  );
  const give = async (method: string, hex: string): Promise<unknown> =>
    await daemon.rpc.call({ method, params: [hex], result: z.unknown(), signal });
  for (const { headerHex, transactions } of devnet.chain.blocks.slice(1)) {
    assert.ok(transactions.length < 0xfd);
    const count = transactions.length.toString(16).padStart(2, '0');
    const block = `${headerHex}${count}${transactions.map(({ hex }) => hex).join('')}`;
    assert.equal(await give('submitblock', block), null);
  }
  for (const { transaction } of devnet.chain.ledger.mempool.values()) {
    assert.equal(await give('sendrawtransaction', transaction.hex), transaction.txid);
  }
  const [port = 0] = await findFreePorts(1);
  const listen = { host: '127.0.0.1', port };
  const directory = join(path, 'electrum');
  scope.use(
    await startCoreElectrum({ command: fulcrum, daemon, directory, listen, signal, reaper }),
  );
  return listen;
}

/** Connects as soon as the server listens. */
export async function clientOf(server: Address, protocol?: ProtocolRange): Promise<ElectrumClient> {
  const connect = async (): Promise<ElectrumClient | undefined> => {
    try {
      return await startElectrumClient({
        dial: (dialing) => loopbackDial(server, { signal: dialing, isolation: '' }),
        clientName: 'test',
        ...(protocol && { protocol }),
        timeoutMs: 30_000,
        log: silent,
        signal,
      });
    } catch (error) {
      if (error instanceof DialError) return undefined;
      throw error;
    }
  };
  const what = 'the Electrum server to listen';
  return await waitUntil(connect, { what, timeoutMs: 30_000, intervalMs: 100, signal });
}

/** What a server answers, in one shape whether it refuses or not. */
export async function answerOf(client: ElectrumClient, question: Question): Promise<unknown> {
  const [method, params] = question;
  try {
    return withoutDescriptors(await client.call(method, params));
  } catch (error) {
    if (!(error instanceof ElectrumRpcError)) throw error;
    return `${error.code} ${error.message}`;
  }
}

/** Only bitcoind writes output descriptors. */
function withoutDescriptors(answer: unknown): unknown {
  const text = JSON.stringify(answer, (key, value: unknown) =>
    key === 'desc' ? undefined : value,
  );
  return JSON.parse(text) as unknown;
}
