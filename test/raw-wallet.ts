import type { Duplex } from 'node:stream';
import type { Address } from '../src/io/dial.ts';
import { lineStream } from '../src/io/line-stream.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';

export interface RpcReply {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** A wallet that sends exactly the lines it is told to. */
export interface RawWallet extends AsyncDisposable {
  readonly stream: Duplex;
  write(line: string): void;
  /** The next line that is no notification; fails when there is none in time. */
  next(withinMs: number): Promise<RpcReply | readonly RpcReply[]>;
  /** Sends a line and has the next one. */
  ask(line: string, withinMs: number): Promise<RpcReply | readonly RpcReply[]>;
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<void>;
}

const MAX_LINE_BYTES = 10_000_000;

export async function connectRaw(server: Address): Promise<RawWallet> {
  const { signal } = new AbortController();
  const stream = await loopbackDial(server, { signal, isolation: '' });
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  stream.on('error', () => undefined);
  const lines = lineStream(stream, MAX_LINE_BYTES).lines[Symbol.asyncIterator]();
  const read = async (): Promise<RpcReply | readonly RpcReply[]> => {
    for (;;) {
      const line = await lines.next();
      if (line.done === true) throw new Error('the server has closed the connection');
      const reply = JSON.parse(line.value) as RpcReply | readonly RpcReply[];
      if (!('method' in reply)) return reply;
    }
  };
  const wallet: RawWallet = {
    stream,
    closed,
    write: (line) => void stream.write(`${line}\n`),
    async next(withinMs) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          reject(new Error(`no reply within ${withinMs} ms`));
        }, withinMs);
      });
      try {
        return await Promise.race([read(), late]);
      } finally {
        clearTimeout(timer);
      }
    },
    ask(line, withinMs) {
      wallet.write(line);
      return wallet.next(withinMs);
    },
    async [Symbol.asyncDispose]() {
      stream.destroy();
      await closed;
    },
  };
  return wallet;
}
