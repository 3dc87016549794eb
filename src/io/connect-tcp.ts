import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Address, DialError, formatAddress } from './dial.ts';

/**
 * Opens a TCP connection. What may be dialled is for the caller to have decided.
 * @throws DialError when nothing answers; the signal's reason when aborted.
 */
export async function connectTcp(address: Address, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connect({ host: address.host, port: address.port, noDelay: true });
  try {
    await once(socket, 'connect', { signal });
  } catch (cause) {
    socket.destroy();
    signal.throwIfAborted();
    throw new DialError(`nothing answers at ${formatAddress(address)}`, { cause });
  }
  return socket;
}
