import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { concatBytes, utf8 } from '../base/bytes.ts';
import { type Address, type Dial, DialError, formatAddress } from './dial.ts';

const VERSION = 5;
const USERNAME_PASSWORD = 2;
const CONNECT = 1;
const DOMAIN_NAME = 3;
const GRANTED = 0;
/** What follows the first four bytes of a granted reply: an address by its type, and a port. */
const REST_OF_REPLY = new Map([
  [1, 4 + 2],
  [4, 16 + 2],
]);

/** Base32 of 35 bytes of which the last is the version, 3. */
const ONION = /^[a-z2-7]{55}d\.onion$/;

/** RFC 1928 section 6, and tor's own codes (socks-extensions, with ExtendedErrors on the port). */
const REFUSALS: Readonly<Record<number, string>> = {
  0x01: 'tor could not reach it',
  0x02: 'this tor connects to onion addresses only',
  0x03: 'tor has no way to the network',
  0x04: 'tor found no way to it in time',
  0x05: 'the server is up, but nothing listens there',
  0x06: 'tor found no way to it in time',
  0xf0: 'it has published no descriptor: the server is off, or has only just started',
  0xf1: 'its descriptor is broken: the server must publish it again',
  0xf2: 'its introduction points did not answer: the server may have just stopped',
  0xf3: 'the server did not come to the meeting point: it may be overloaded',
  0xf4: 'it is private, and this tor has no key for it: add your access key',
  0xf5: 'it is private, and the access key of this tor is wrong or was revoked',
  0xf6: 'it is mistyped: the checksum is wrong',
  0xf7: 'its introduction points did not answer in time',
};

/** Where tor listens for SOCKS: a TCP port, or a unix socket. */
export type SocksProxy = Address | { readonly path: string };

/**
 * Dials onion addresses through tor's SOCKS port (RFC 1928, RFC 1929). The isolation word, 1 to 255
 * bytes, is the password. Any host but a v3 onion address is refused before a byte is sent.
 */
export function socksDial(proxy: SocksProxy): Dial {
  return async (address, { signal, isolation }) => {
    if (!ONION.test(address.host)) {
      throw new DialError(`${formatAddress(address)} is not an onion address`);
    }
    signal.throwIfAborted();
    const socket = connect(optionsOf(proxy));
    try {
      await once(socket, 'connect', { signal });
      await askFor(address, { socket, isolation, signal });
    } catch (cause) {
      socket.destroy();
      signal.throwIfAborted();
      if (cause instanceof DialError) throw cause;
      const place = 'path' in proxy ? proxy.path : formatAddress(proxy);
      throw new DialError(`no tor answers at ${place}`, { cause });
    }
    socket.on('error', () => undefined);
    return socket;
  };
}

function optionsOf(proxy: SocksProxy): NetConnectOpts {
  if ('path' in proxy) return { path: proxy.path };
  return { host: proxy.host, port: proxy.port, noDelay: true };
}

interface Handshake {
  readonly socket: Socket;
  readonly isolation: string;
  readonly signal: AbortSignal;
}

async function askFor(address: Address, { socket, isolation, signal }: Handshake): Promise<void> {
  const read = (length: number): Promise<Buffer> => readExactly(socket, length, signal);
  socket.write(Uint8Array.of(VERSION, 1, USERNAME_PASSWORD));
  if (!(await read(2)).equals(Uint8Array.of(VERSION, USERNAME_PASSWORD))) throw notTor();
  socket.write(concatBytes(Uint8Array.of(1), withLength('sotto'), withLength(isolation)));
  if ((await read(2))[1] !== GRANTED) throw notTor();
  const port = Uint8Array.of(address.port >> 8, address.port & 0xff);
  const request = Uint8Array.of(VERSION, CONNECT, 0, DOMAIN_NAME);
  socket.write(concatBytes(request, withLength(address.host), port));
  const [version, code, , addressType] = await read(4);
  if (version !== VERSION || code === undefined) throw notTor();
  if (code !== GRANTED) {
    const reason = REFUSALS[code] ?? `tor refused it with code ${code}`;
    throw new DialError(`cannot reach ${formatAddress(address)}: ${reason}`);
  }
  const rest = REST_OF_REPLY.get(addressType ?? -1);
  if (rest === undefined) throw notTor();
  await read(rest);
}

/** Leaves every later byte in the stream for its owner. */
async function readExactly(socket: Socket, length: number, signal: AbortSignal): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let missing = length; missing > 0;) {
    const available = Math.min(missing, socket.readableLength);
    if (available > 0) parts.push(socket.read(available) as Buffer);
    else if (socket.readableEnded) throw notTor();
    else await moreOf(socket, signal);
    missing -= available;
  }
  return Buffer.concat(parts);
}

async function moreOf(socket: Socket, signal: AbortSignal): Promise<void> {
  const settled = new AbortController();
  const options = { signal: AbortSignal.any([signal, settled.signal]) };
  try {
    await Promise.race([once(socket, 'readable', options), once(socket, 'end', options)]);
  } finally {
    settled.abort();
  }
}

function withLength(text: string): Uint8Array {
  const bytes = utf8(text);
  if (bytes.length < 1 || bytes.length > 255) throw new RangeError('expected 1 to 255 bytes');
  return concatBytes(Uint8Array.of(bytes.length), bytes);
}

function notTor(): DialError {
  return new DialError('what answers at the SOCKS port does not speak SOCKS as tor does');
}
