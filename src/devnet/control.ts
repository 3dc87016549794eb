import * as z from 'zod';
import { messageOf, UserError } from '../base/errors.ts';
import type { Running } from '../base/lifecycle.ts';
import type { Logger } from '../base/log.ts';
import { lineStream } from '../io/line-stream.ts';
import { dialUnix, listenUnix } from '../io/unix-socket.ts';
import type { ChainBackend } from './chain-backend.ts';

const MAX_MONEY = 2_100_000_000_000_000;

const COMMAND = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('info') }),
  z.strictObject({ command: z.literal('mine'), blocks: z.int().min(1).max(10_000) }),
  z.strictObject({
    command: z.literal('pay'),
    address: z.string().max(100),
    sats: z.int().min(1).max(MAX_MONEY),
  }),
  z.strictObject({ command: z.literal('reorg'), depth: z.int().min(1).max(1000) }),
]);

const RESULT = z.strictObject({
  height: z.int(),
  /** Of the tip, hex in display order. */
  hash: z.string(),
  /** `host:port` of the Electrum server. */
  electrum: z.string(),
  /** Of the payment. */
  txid: z.string().optional(),
});

const REPLY = z.union([
  z.strictObject({ result: RESULT }),
  z.strictObject({ error: z.string(), hint: z.string().optional() }),
]);

/** What can be asked of a running devnet, one JSON object a line. */
export type ControlCommand = z.output<typeof COMMAND>;
export type ControlResult = z.output<typeof RESULT>;

const MAX_LINE_BYTES = 10_000;
const MAX_CONNECTIONS = 16;

export interface ControlOptions {
  readonly backend: ChainBackend;
  /** Of the unix socket, which only its owner can open. */
  readonly path: string;
  readonly log: Logger;
}

/** Answers the commands of `sotto devnet mine`, `pay`, `reorg` and `info` from other terminals. */
export async function startControl({ backend, path, log }: ControlOptions): Promise<Running> {
  return await listenUnix({
    path,
    maxConnections: MAX_CONNECTIONS,
    onConnection: (stream) => {
      const lines = lineStream(stream, MAX_LINE_BYTES);
      answerLines(backend, lines).catch((error: unknown) => {
        log.warn('a control connection ended', { error: messageOf(error) });
      });
    },
  });
}

/**
 * Asks the devnet that listens at the path.
 * @throws UserError when none does, or with its own words when it refuses.
 */
export async function askControl(
  path: string,
  command: ControlCommand,
  signal: AbortSignal,
): Promise<ControlResult> {
  const lines = lineStream(await dialControl(path, signal), MAX_LINE_BYTES);
  const stop = (): void => {
    lines.close();
  };
  signal.addEventListener('abort', stop);
  try {
    await lines.write(JSON.stringify(command));
    for await (const line of lines.lines) {
      const reply = REPLY.parse(JSON.parse(line));
      if ('result' in reply) return reply.result;
      throw new UserError(reply.error, reply.hint === undefined ? {} : { hint: reply.hint });
    }
    signal.throwIfAborted();
    throw new UserError('the devnet stopped before it answered');
  } finally {
    signal.removeEventListener('abort', stop);
    lines.close();
  }
}

async function dialControl(path: string, signal: AbortSignal): ReturnType<typeof dialUnix> {
  try {
    return await dialUnix(path, signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw new UserError(`no devnet is running at ${path}`, {
      hint: 'Start one in another terminal: sotto devnet',
      cause,
    });
  }
}

async function answerLines(
  backend: ChainBackend,
  lines: ReturnType<typeof lineStream>,
): Promise<void> {
  for await (const line of lines.lines)
    await lines.write(JSON.stringify(await reply(backend, line)));
}

async function reply(backend: ChainBackend, line: string): Promise<z.output<typeof REPLY>> {
  try {
    return { result: await run(backend, parseCommand(line)) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { error: error.message, hint: error.hint };
  }
}

function parseCommand(line: string): ControlCommand {
  try {
    return COMMAND.parse(JSON.parse(line));
  } catch (cause) {
    throw new UserError('the devnet does not understand the command', { cause });
  }
}

async function run(backend: ChainBackend, command: ControlCommand): Promise<ControlResult> {
  const txid = await perform(backend, command);
  const { host, port } = backend.electrum;
  return { ...(await backend.tip()), electrum: `${host}:${port}`, ...(txid && { txid }) };
}

/** Returns the txid of a payment. */
async function perform(
  backend: ChainBackend,
  command: ControlCommand,
): Promise<string | undefined> {
  switch (command.command) {
    case 'info':
      return undefined;
    case 'mine':
      await backend.mine(command.blocks);
      return undefined;
    case 'pay':
      return await backend.pay(command.address, BigInt(command.sats));
    case 'reorg':
      await backend.reorg(command.depth);
      return undefined;
  }
}
