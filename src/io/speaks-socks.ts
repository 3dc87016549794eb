import { once } from 'node:events';
import { connectTcp } from './connect-tcp.ts';
import { type Address, DialError } from './dial.ts';

const VERSION = 5;
const USERNAME_PASSWORD = 2;
const GRANTED = Uint8Array.of(VERSION, USERNAME_PASSWORD);
const TIMEOUT_MS = 1000;

/**
 * `silent`: nothing listens there. `other`: something does, which does not answer within 1 s as a
 * tor with IsolateSOCKSAuth would.
 */
export type SocksAnswer = 'socks' | 'other' | 'silent';

/** Whether SOCKS 5 with names and passwords (RFC 1929) is spoken at an address. Nothing is asked for. */
export async function speaksSocks(proxy: Address, signal: AbortSignal): Promise<SocksAnswer> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let socket: Awaited<ReturnType<typeof connectTcp>>;
  try {
    socket = await connectTcp(proxy, bounded);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DialError || bounded.aborted) return 'silent';
    throw error;
  }
  try {
    socket.write(Uint8Array.of(VERSION, 1, USERNAME_PASSWORD));
    const [answer] = (await Promise.race([
      once(socket, 'data', { signal: bounded }),
      once(socket, 'close', { signal: bounded }),
    ])) as [Buffer | boolean];
    return Buffer.isBuffer(answer) && answer.equals(GRANTED) ? 'socks' : 'other';
  } catch {
    signal.throwIfAborted();
    return 'other';
  } finally {
    socket.destroy();
  }
}
