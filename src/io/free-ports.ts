import { randomInt } from 'node:crypto';
import { listenTcp } from './listen.ts';

/** Below Linux's range for outgoing connections, so that none takes a port before its owner does. */
const FIRST = 20_000;
const END = 32_000;

/** Ports that were given away: whoever asked may not listen yet. */
const given = new Set<number>();

/**
 * Different TCP ports of an address of this machine that nothing listens on, and none that was found
 * before. For programs that cannot be given port 0.
 */
export async function findFreePorts(count: number, host = '127.0.0.1'): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(FIRST, END);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port, host)) ports.push(port);
  }
  return ports;
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
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
}
