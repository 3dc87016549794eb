import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { UserError } from '../base/errors.ts';
import { Scope } from '../base/lifecycle.ts';
import { listenTcp } from './listen.ts';

/** Below Linux's range for outgoing connections, so that none takes a port before its owner does. */
const FIRST = 20_000;
const END = 32_000;
const LOOPBACK = '127.0.0.1';
/** Of a range in which half is taken, six in a row are found within a few hundred. */
const ATTEMPTS = 10_000;

/**
 * TCP ports in a row, of an address of this machine, that nothing listens on. They are given to nobody
 * else, in no process that asks here, until this process ends. For programs that cannot be given port 0.
 * @throws UserError when so many are not to be found.
 */
export async function findFreePorts(count: number, host = LOOPBACK): Promise<number[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const first = randomInt(FIRST, END - count + 1);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if (await areOurs(ports, host)) return ports;
  }
  throw new UserError(`there are no ${count} free ports in a row on ${host}`, {
    hint: `Programs listen on most of the ports from ${FIRST} to ${END}: end some of them.`,
  });
}

async function areOurs(ports: readonly number[], host: string): Promise<boolean> {
  await using reserving = new Scope();
  for (const port of ports) {
    const reserved = await reserve(port);
    if (reserved === undefined) return false;
    reserving.defer(() => {
      reserved.close();
    });
    if (!(await isFree(port, host))) return false;
  }
  reserving.move();
  return true;
}

/**
 * Whoever is to have a TCP port may listen long after it was found. Until then the UDP port of its number
 * keeps it, which the kernel gives to one process, and takes back however that ends.
 */
async function reserve(port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4');
  socket.unref();
  try {
    socket.bind({ port, address: LOOPBACK, exclusive: true });
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    socket.close();
    if (isTaken(error)) return undefined;
    throw error;
  }
}

async function isFree(port: number, host: string): Promise<boolean> {
  try {
    await using server = await listenTcp({
      host,
      port,
      maxConnections: 0,
      onConnection: (stream) => stream.destroy(),
    });
    return server.port === port;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
}
