import type { Duplex } from 'node:stream';
import type { Address } from '../io/dial.ts';
import { listenTcp, type TcpServer } from '../io/listen.ts';
import { loopbackDial } from '../io/loopback-dial.ts';

export interface ObservedPortOptions {
  readonly to: Address;
  /** Told every byte that clients send, with the number of their connection. */
  readonly observe: (connection: number, bytes: Uint8Array) => void;
}

const MAX_CONNECTIONS = 100;

/** A loopback port that keeps what passes: all that an operator of the target could log. */
export function startObservedPort({ to, observe }: ObservedPortOptions): Promise<TcpServer> {
  let connections = 0;
  const join = async (near: Duplex, connection: number): Promise<void> => {
    try {
      const signal = AbortSignal.timeout(5000);
      const far = await loopbackDial(to, { signal, isolation: 'observed' });
      far.on('error', () => near.destroy());
      near.once('close', () => far.destroy());
      far.once('close', () => near.destroy());
      near.on('data', (bytes: Uint8Array) => {
        observe(connection, bytes);
      });
      near.pipe(far).pipe(near);
    } catch {
      near.destroy();
    }
  };
  return listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: MAX_CONNECTIONS,
    onConnection: (near) => void join(near, ++connections),
  });
}
