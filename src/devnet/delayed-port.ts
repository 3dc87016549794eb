import type { Duplex } from 'node:stream';
import type { Address } from '../io/dial.ts';
import { listenTcp, type TcpServer } from '../io/listen.ts';
import { loopbackDial } from '../io/loopback-dial.ts';

export interface DelayedPortOptions {
  readonly to: Address;
  /** Added to a round trip: half of it each way. Throughput is not limited. */
  readonly roundTripMs: number;
}

const MAX_CONNECTIONS = 1000;

/** A loopback port that stands as far from its target as an onion service of the real Tor network. */
export function startDelayedPort({ to, roundTripMs }: DelayedPortOptions): Promise<TcpServer> {
  return listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: MAX_CONNECTIONS,
    onConnection: (near) => void join(near, { to, oneWayMs: roundTripMs / 2 }),
  });
}

async function join(near: Duplex, { to, oneWayMs }: { to: Address; oneWayMs: number }) {
  try {
    const far = await loopbackDial(to, { signal: AbortSignal.timeout(5000), isolation: 'delayed' });
    far.on('error', () => undefined);
    passLater({ from: near, to: far, oneWayMs });
    passLater({ from: far, to: near, oneWayMs });
  } catch {
    near.destroy();
  }
}

function passLater({ from, to, oneWayMs }: { from: Duplex; to: Duplex; oneWayMs: number }): void {
  from.on('data', (chunk: Uint8Array) => {
    setTimeout(() => {
      if (to.writable) to.write(chunk);
    }, oneWayMs);
  });
  from.once('close', () => setTimeout(() => to.destroy(), oneWayMs));
}
