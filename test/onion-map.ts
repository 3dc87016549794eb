import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { connectTcp } from '../src/io/connect-tcp.ts';
import { listenTcp, type TcpServer } from '../src/io/listen.ts';

const HOST_LENGTH_AT = 4;

/**
 * A SOCKS port on loopback in the place of tor's: leads onions to ports of this machine, and refuses
 * all others. What it says of RFC 1928 and RFC 1929 is as much as `socksDial` asks.
 */
export async function startOnionMap(ports: ReadonlyMap<string, number>): Promise<TcpServer> {
  return await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 1000,
    onConnection: (stream) => void connectThrough(stream, ports).catch(() => stream.destroy()),
  });
}

async function connectThrough(stream: Duplex, ports: ReadonlyMap<string, number>): Promise<void> {
  let held = Buffer.alloc(0);
  const read = async (length: number): Promise<Buffer> => {
    while (held.length < length) {
      const chunk = stream.read() as Buffer | null;
      if (chunk === null) await once(stream, 'readable', { signal: AbortSignal.timeout(10_000) });
      else held = Buffer.concat([held, chunk]);
    }
    const taken = held.subarray(0, length);
    held = held.subarray(length);
    return taken;
  };
  const [, methods = 0] = await read(2);
  await read(methods);
  stream.write(Buffer.from([5, 2]));
  const [, userLength = 0] = await read(2);
  await read(userLength);
  const [passwordLength = 0] = await read(1);
  await read(passwordLength);
  stream.write(Buffer.from([1, 0]));
  const hostLength = (await read(HOST_LENGTH_AT + 1))[HOST_LENGTH_AT] ?? 0;
  const host = (await read(hostLength)).toString('latin1');
  await read(2);
  const port = ports.get(host);
  if (port === undefined) {
    stream.end(Buffer.from([5, 0xf0, 0, 1, 0, 0, 0, 0, 0, 0]));
    return;
  }
  const far = await connectTcp({ host: '127.0.0.1', port }, AbortSignal.timeout(10_000));
  stream.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
  if (held.length > 0) far.write(held);
  stream.pipe(far).pipe(stream);
  for (const each of [stream, far]) {
    each.on('error', () => undefined);
    each.on('close', () => {
      stream.destroy();
      far.destroy();
    });
  }
}
