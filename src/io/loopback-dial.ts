import { connectTcp } from './connect-tcp.ts';
import { type Dial, DialError, formatAddress } from './dial.ts';

/** Dials 127.0.0.1 and ::1 only: programs that this one started, and tests. */
export const loopbackDial: Dial = async (address, { signal }) => {
  if (!['127.0.0.1', '::1', 'localhost'].includes(address.host)) {
    throw new DialError(`${formatAddress(address)} is not on this machine`);
  }
  return await connectTcp(address, signal);
};
