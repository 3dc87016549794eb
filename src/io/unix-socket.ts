import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { UserError } from '../base/errors.ts';
import type { Running } from '../base/lifecycle.ts';
import { DialError } from './dial.ts';

export interface UnixListenOptions {
  readonly path: string;
  /** Connections beyond this many are closed at once. */
  readonly maxConnections: number;
  /** Owns the stream from here on. A stream error ends the stream and never the process. */
  readonly onConnection: (stream: Duplex) => void;
}

/** What the kernel has room for, with the zero at the end (unix(7)). */
const MAX_PATH_BYTES = 107;
const OWNER_ONLY = 0o177;
const DIAL_TIMEOUT_MS = 1000;

/**
 * Listens on a unix socket that only its owner can open, mode 0600. A socket that a dead process
 * left is replaced. Disposing removes it and destroys the connections that are open.
 * @throws UserError when the path is too long, or something else is there.
 */
export async function listenUnix(options: UnixListenOptions): Promise<Running> {
  const { path } = options;
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new UserError(`the socket's path is over ${MAX_PATH_BYTES} bytes: ${path}`, {
      hint: 'Choose a directory with a shorter path.',
    });
  }
  await removeStale(path);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    options.onConnection(socket);
  });
  server.maxConnections = options.maxConnections;
  // The socket is made within this call: it is never open to others, not even for a moment.
  const umask = process.umask(OWNER_ONLY);
  server.listen(path);
  process.umask(umask);
  await once(server, 'listening');
  const failed = once(server, 'error').then(([error]) => Promise.reject(error as Error));
  failed.catch(() => undefined);
  return {
    failed,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** @throws DialError when nothing answers at the path. */
export async function dialUnix(path: string, signal: AbortSignal): Promise<Duplex> {
  signal.throwIfAborted();
  const socket = connect(path);
  try {
    await once(socket, 'connect', { signal });
  } catch (cause) {
    socket.destroy();
    signal.throwIfAborted();
    throw new DialError(`nothing answers at ${path}`, { cause });
  }
  return socket;
}

async function removeStale(path: string): Promise<void> {
  const file = await lstat(path).catch(() => undefined);
  if (file === undefined) return;
  if (!file.isSocket()) throw new UserError(`${path} is there already and is not a socket`);
  let socket: Duplex;
  try {
    socket = await dialUnix(path, AbortSignal.timeout(DIAL_TIMEOUT_MS));
  } catch {
    await unlink(path);
    return;
  }
  socket.destroy();
  throw new UserError(`another process answers at ${path}`, {
    hint: 'Stop it, or choose another directory.',
  });
}
