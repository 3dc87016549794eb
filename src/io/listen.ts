import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Running } from '../base/lifecycle.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Connections beyond this many are closed at once. */
  readonly maxConnections: number;
  /**
   * Owns the stream from here on. A stream error ends the stream and never the process. `peer` is
   * the address that the connection comes from, empty when it has already gone.
   */
  readonly onConnection: (stream: Duplex, peer: string) => void;
}

export interface TcpServer extends Running {
  readonly host: string;
  readonly port: number;
}

/** Starts a TCP server. Disposing it destroys the connections that are open. */
export async function listenTcp(options: ListenOptions): Promise<TcpServer> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    options.onConnection(socket, socket.remoteAddress ?? '');
  });
  server.maxConnections = options.maxConnections;
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP server');
  const failed = once(server, 'error').then(([error]) => Promise.reject(error as Error));
  failed.catch(() => undefined);
  return {
    host: options.host,
    port: address.port,
    failed,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
