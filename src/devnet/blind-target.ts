import type { Duplex } from 'node:stream';
import { z } from 'zod';
import type { Address } from '../io/dial.ts';
import { lineStream } from '../io/line-stream.ts';
import { listenTcp, type TcpServer } from '../io/listen.ts';
import { loopbackDial } from '../io/loopback-dial.ts';

const MAX_CONNECTIONS = 100;
const MAX_LINE_BYTES = 1_000_000;
const DIAL_MS = 5000;

const question = z.object({
  id: z.number(),
  method: z.literal('blockchain.transaction.id_from_pos'),
});
/** A block whose only transaction is its miner's. */
const NOTHING_IN_IT = { tx_hash: '0'.repeat(64), merkle: [] };

/**
 * The Electrum server at `to`, without a way to find transactions by their place. An authority draws
 * from those what it asks gateways. With this target it asks for scripts that nobody has used, so that
 * all that gateways learn of addresses comes from wallets.
 */
export function startBlindTarget(to: Address): Promise<TcpServer> {
  return listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: MAX_CONNECTIONS,
    onConnection: (near) => void join(near, to),
  });
}

async function join(near: Duplex, to: Address): Promise<void> {
  try {
    const signal = AbortSignal.timeout(DIAL_MS);
    const far = await loopbackDial(to, { signal, isolation: 'blind' });
    far.on('error', () => near.destroy());
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
    const asked = lineStream(near, MAX_LINE_BYTES);
    const answered = lineStream(far, MAX_LINE_BYTES);
    await Promise.all([
      passOn(asked.lines, (line) => {
        const parsed = question.safeParse(JSON.parse(line));
        if (!parsed.success) return answered.write(line);
        const { id } = parsed.data;
        return asked.write(JSON.stringify({ jsonrpc: '2.0', id, result: NOTHING_IN_IT }));
      }),
      passOn(answered.lines, (line) => asked.write(line)),
    ]);
  } catch {
    near.destroy();
  }
}

async function passOn(
  lines: AsyncIterable<string>,
  write: (line: string) => Promise<void>,
): Promise<void> {
  for await (const line of lines) await write(line);
}
