import type { Duplex } from 'node:stream';
import { fromHex } from '../../base/bytes.ts';
import { messageOf } from '../../base/errors.ts';
import { silent } from '../../base/log.ts';
import { hashOf } from '../../bitcoin/block-header.ts';
import { startElectrumClient } from '../../electrum/client.ts';
import { ElectrumClientError } from '../../electrum/client-error.ts';
import { ElectrumRpcError } from '../../electrum/rpc-error.ts';
import type { ElectrumObservation } from './observations.ts';

const TIMEOUT_MS = 20_000;
const MAX_NAME = 40;

/**
 * Asks an Electrum server what a wallet asks first, over a connection of its own.
 * @throws what `dial` throws; ElectrumClientError; ElectrumRpcError; the signal's reason.
 */
export async function probeElectrum(
  dial: (signal: AbortSignal) => Promise<Duplex>,
  signal: AbortSignal,
): Promise<ElectrumObservation> {
  await using client = await startElectrumClient({
    dial,
    clientName: 'sotto',
    timeoutMs: TIMEOUT_MS,
    log: silent,
    signal,
  });
  const options = { signal };
  const [tip, genesis] = await Promise.all([
    client.call('blockchain.headers.subscribe', {}, options),
    client.call('blockchain.block.header', { height: 0, cp_height: 0 }, options),
  ]);
  return {
    server: client.serverName.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_NAME),
    genesisHash: hashOf(fromHex(typeof genesis === 'string' ? genesis : genesis.header)),
    height: tip.height,
    tipHash: hashOf(fromHex(tip.hex)),
  };
}

/** In words, why a server gave no such answer. */
export function whyNoAnswer(error: unknown): string {
  if (error instanceof ElectrumRpcError) return `it answers: ${error.message.slice(0, 80)}`;
  if (error instanceof ElectrumClientError && error.code === 'disconnected') {
    return 'it closes the connection';
  }
  return messageOf(error);
}
