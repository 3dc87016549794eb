import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import { concatBytes, utf8 } from '../base/bytes.ts';
import { connectTcp } from './connect-tcp.ts';
import type { Address } from './dial.ts';

/** RFC 1928, and RESOLVE of tor's socks-extensions. */
const COMMANDS = { connect: 0x01, resolve: 0xf0 } as const;

export interface SocksRequest {
  readonly proxy: Address;
  readonly command: keyof typeof COMMANDS;
  /** A numeric IPv4 address or a name. */
  readonly host: string;
  readonly port: number;
  readonly signal: AbortSignal;
}

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const IPV4 = 0x01;
const NAME = 0x03;

/**
 * What a SOCKS proxy answers to one request, for probes of what it must refuse: 0 is granted. The
 * connection is closed at once.
 * @returns undefined when it closes the connection instead.
 * @throws DialError when nothing listens; the signal's reason when it does not answer.
 */
export async function askSocks(request: SocksRequest): Promise<number | undefined> {
  const { proxy, command, host, port, signal } = request;
  const socket = await connectTcp(proxy, signal);
  socket.on('error', () => undefined);
  try {
    socket.write(Uint8Array.of(VERSION, 1, NO_AUTHENTICATION));
    const method = await nextBytes(socket, signal);
    if (method?.[1] !== NO_AUTHENTICATION) return undefined;
    const where = isIPv4(host)
      ? Uint8Array.of(IPV4, ...host.split('.').map(Number))
      : concatBytes(Uint8Array.of(NAME, host.length), utf8(host));
    socket.write(
      concatBytes(
        Uint8Array.of(VERSION, COMMANDS[command], 0),
        where,
        Uint8Array.of(port >> 8, port & 0xff),
      ),
    );
    return (await nextBytes(socket, signal))?.[1];
  } finally {
    socket.destroy();
  }
}

async function nextBytes(
  socket: Awaited<ReturnType<typeof connectTcp>>,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const [chunk] = (await Promise.race([
    once(socket, 'data', { signal }),
    once(socket, 'close', { signal }),
  ])) as [Buffer | boolean];
  return typeof chunk === 'boolean' ? undefined : chunk;
}
