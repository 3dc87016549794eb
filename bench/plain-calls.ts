import type { Duplex } from 'node:stream';
import { silent } from '../src/base/log.ts';
import { type ElectrumClient, startElectrumClient } from '../src/electrum/client.ts';
import { Gate } from '../src/electrum/gate.ts';
import { ElectrumRpcError } from '../src/electrum/rpc-error.ts';

/** What is known of an address of the wallet that is benched. */
interface BenchAddress {
  readonly scriptHash: string;
  readonly txids: readonly string[];
}

const MAX_ATTEMPTS = 20;
/** Electrum 4.3.4 asks so much at once in each of its two jobs, and more as answers come. */
const ELECTRUM_AT_ONCE = 100;
const SUBSCRIBE = 'blockchain.scripthash.subscribe';

/** Connects as a wallet does that speaks plain Electrum. */
export function openPlain(dial: (signal: AbortSignal) => Promise<Duplex>): Promise<ElectrumClient> {
  return startElectrumClient({
    dial,
    clientName: 'bench',
    timeoutMs: 300_000,
    log: silent,
    signal: new AbortController().signal,
  });
}

/** The first of Electrum's round trips. Says how many addresses have a status. */
export async function subscribeAll(
  client: ElectrumClient,
  wallet: readonly BenchAddress[],
): Promise<BenchAddress[]> {
  const statuses = await Promise.all(
    wallet.map(({ scriptHash }) =>
      asOftenAsNeeded(() => client.call(SUBSCRIBE, { scripthash: scriptHash })),
    ),
  );
  const used = wallet.filter((_, index) => statuses[index] !== null);
  if (used.length !== wallet.filter(({ txids }) => txids.length > 0).length) {
    throw new Error('a status is missing');
  }
  return used;
}

/** What Electrum asks, all of it at once, in four round trips; nothing is verified. */
export async function syncPlainly(
  client: ElectrumClient,
  wallet: readonly BenchAddress[],
): Promise<void> {
  const used = await subscribeAll(client, wallet);
  const histories = await Promise.all(
    used.map(({ scriptHash }) =>
      client.call('blockchain.scripthash.get_history', { scripthash: scriptHash }),
    ),
  );
  for (const [index, history] of histories.entries()) {
    if (history.length !== used[index]?.txids.length) throw new Error('a history is incomplete');
  }
  await Promise.all(
    histories
      .flat()
      .flatMap(({ tx_hash, height }) => [
        client.call('blockchain.transaction.get', { tx_hash }),
        ...(height > 0
          ? [client.call('blockchain.transaction.get_merkle', { tx_hash, height })]
          : []),
      ]),
  );
  await client.call('blockchain.block.headers', { start_height: 0, count: 2016 });
}

/** What Electrum asks, as it asks it: so much at a time, of each address as soon as it can. */
export async function syncAsElectrum(
  client: ElectrumClient,
  wallet: readonly BenchAddress[],
): Promise<void> {
  const synchronizing = new Gate(ELECTRUM_AT_ONCE);
  const verifying = new Gate(ELECTRUM_AT_ONCE);
  await client.call('blockchain.block.headers', { start_height: 0, count: 2016 });
  await Promise.all(
    wallet.map(async ({ scriptHash: scripthash, txids }) => {
      await inTurn(synchronizing, () =>
        asOftenAsNeeded(() => client.call(SUBSCRIBE, { scripthash })),
      );
      if (txids.length === 0) return;
      const history = await inTurn(synchronizing, () =>
        client.call('blockchain.scripthash.get_history', { scripthash }),
      );
      if (history.length !== txids.length) throw new Error('a history is incomplete');
      await Promise.all(
        history.flatMap(({ tx_hash, height }) => {
          const raw = inTurn(synchronizing, () =>
            client.call('blockchain.transaction.get', { tx_hash }),
          );
          if (height <= 0) return [raw];
          const place = { tx_hash, height };
          return [
            raw,
            inTurn(verifying, () => client.call('blockchain.transaction.get_merkle', place)),
          ];
        }),
      );
    }),
  );
}

async function inTurn<T>(gate: Gate, call: () => Promise<T>): Promise<T> {
  await gate.enter();
  try {
    return await call();
  } finally {
    gate.leave();
  }
}

/** A bridge lets no wallet wait longer than wallets do: those ask again. */
async function asOftenAsNeeded<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ElectrumRpcError) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
