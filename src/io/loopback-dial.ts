import { connect } from 'node:net';
import { once } from 'node:events';
import { type Dial, DialError, formatAddress } from './dial.ts';

/** Dials 127.0.0.1 and ::1 only: a gateway's own target, and tests. */
export const loopbackDial: Dial = async (address, { signal }) => {
  if (!['127.0.0.1', '::1', 'localhost'].includes(address.host)) {
    throw new DialError(`${formatAddress(address)} is not on this machine`);
  }
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
};
