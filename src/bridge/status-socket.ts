import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { type Running } from '../base/lifecycle.ts';
import { lineStream } from '../io/line-stream.ts';
import { dialUnix, listenUnix } from '../io/unix-socket.ts';
import { type BridgeStatus } from './bridge-status.ts';

const count = z.int().min(0);
const tip = z.object({ height: count, hash: z.string() });

const REPORT = z.object({
  wallets: count,
  connections: count,
  watching: z.object({
    watched: count,
    cached: count,
    waiting: count,
    lastProof: z.object({ tip, at: z.number() }).optional(),
  }),
  exposure: z.object({
    gateways: z.array(z.object({ name: z.string(), addresses: count })).readonly(),
    relays: z
      .array(z.object({ nodeId: z.string(), addresses: count, clients: count.optional() }))
      .readonly(),
  }),
  tip,
  feesAgeMs: z.number().optional(),
});
const REPLY = z.object({ status: REPORT.optional() });

/** A bridge's status as it comes out of the socket. */
export type BridgeReport = z.output<typeof REPORT>;

const MAX_CONNECTIONS = 8;
const MAX_LINE_BYTES = 1_000_000;

export function statusSocketIn(directory: string): string {
  return join(directory, 'bridge.sock');
}

export interface StatusSocketOptions {
  readonly path: string;
  /** Undefined while the bridge starts. */
  readonly status: () => BridgeStatus | undefined;
}

/**
 * Tells the status to whoever connects, one line of JSON each. Only the owner of the socket can.
 * @throws UserError as `listenUnix` does.
 */
export async function startStatusSocket({ path, status }: StatusSocketOptions): Promise<Running> {
  return await listenUnix({
    path,
    maxConnections: MAX_CONNECTIONS,
    onConnection: (stream) => {
      const reply: z.output<typeof REPLY> = { status: status() };
      stream.end(`${JSON.stringify(reply)}\n`, () => stream.destroy());
    },
  });
}

/**
 * Asks the bridge whose socket is at the path. Undefined while it starts.
 * @throws UserError when there is none.
 */
export async function askStatus(
  path: string,
  signal: AbortSignal,
): Promise<BridgeReport | undefined> {
  const stream = await dialUnix(path, signal).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw noBridge(path, cause);
  });
  const stop = (): void => void stream.destroy();
  signal.addEventListener('abort', stop);
  try {
    for await (const line of lineStream(stream, MAX_LINE_BYTES).lines) {
      return REPLY.parse(JSON.parse(line)).status;
    }
    signal.throwIfAborted();
    throw noBridge(path);
  } finally {
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

function noBridge(path: string, cause?: unknown): UserError {
  return new UserError(`no bridge answers at ${path}`, {
    cause,
    hint:
      'Start one in another terminal: sotto bridge\n' +
      'One of another network or directory is found with the --network or --state that it has.',
  });
}
