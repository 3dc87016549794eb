import * as z from 'zod';
import { messageOf, UserError } from '../../base/errors.ts';
import type { Running } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/log.ts';
import { DialError } from '../../io/dial.ts';
import { type LineStream, lineStream } from '../../io/line-stream.ts';
import { dialUnix, listenUnix } from '../../io/unix-socket.ts';
import type { ServiceState } from '../backend.ts';
import { SERVICE_NAMES } from '../service.ts';

// What is asked of a running supervisor: one line of JSON each way.

const serviceSchema = z.enum(SERVICE_NAMES);

const REQUEST = z.discriminatedUnion('command', [
  /** How the services are. */
  z.strictObject({ command: z.literal('states') }),
  /** Read sotto.yaml again, and run what it says. */
  z.strictObject({ command: z.literal('reload') }),
  /** The same, and these anew. */
  z.strictObject({
    command: z.literal('restart'),
    services: z.array(serviceSchema).min(1).max(SERVICE_NAMES.length).readonly(),
  }),
  /** End the services, then yourself. Answered at once. */
  z.strictObject({ command: z.literal('stop') }),
]);

const STATE = z.strictObject({
  service: serviceSchema,
  state: z.enum(['running', 'restarting', 'stopped']),
  restarts: z.int().min(0),
  since: z.iso.datetime().exactOptional(),
  lastExit: z.string().exactOptional(),
});

const REPLY = z.union([
  z.strictObject({ states: z.array(STATE) }),
  z.strictObject({ error: z.string(), hint: z.string().optional() }),
]);

export type SupervisorRequest = z.output<typeof REQUEST>;

const MAX_LINE_BYTES = 64 * 1024;
const MAX_CONNECTIONS = 16;

export interface ControlOptions {
  /** Of the unix socket, which only its owner can open. */
  readonly path: string;
  /** @throws UserError for what the person can mend. */
  readonly handle: (request: SupervisorRequest) => Promise<readonly ServiceState[]>;
  readonly log: Logger;
}

export async function startSupervisorControl(options: ControlOptions): Promise<Running> {
  const { path, log } = options;
  return await listenUnix({
    path,
    maxConnections: MAX_CONNECTIONS,
    onConnection: (stream) => {
      answerLines(lineStream(stream, MAX_LINE_BYTES), options).catch((error: unknown) => {
        log.warn('a control connection ended', { error: messageOf(error) });
      });
    },
  });
}

/**
 * Asks the supervisor that listens at the path. Undefined when none does, or when it ended before it
 * answered.
 * @throws UserError in its own words when it refuses.
 */
export async function askSupervisor(
  path: string,
  request: SupervisorRequest,
  signal: AbortSignal,
): Promise<readonly ServiceState[] | undefined> {
  const lines = await dialSupervisor(path, signal);
  if (lines === undefined) return undefined;
  const stop = (): void => {
    lines.close();
  };
  signal.addEventListener('abort', stop);
  try {
    await lines.write(JSON.stringify(request));
    for await (const line of lines.lines) {
      const reply = REPLY.parse(JSON.parse(line));
      if ('states' in reply) return reply.states;
      throw new UserError(reply.error, reply.hint === undefined ? {} : { hint: reply.hint });
    }
    signal.throwIfAborted();
    return undefined;
  } finally {
    signal.removeEventListener('abort', stop);
    lines.close();
  }
}

async function dialSupervisor(path: string, signal: AbortSignal): Promise<LineStream | undefined> {
  try {
    return lineStream(await dialUnix(path, signal), MAX_LINE_BYTES);
  } catch (error) {
    if (error instanceof DialError) return undefined;
    throw error;
  }
}

async function answerLines(lines: LineStream, options: ControlOptions): Promise<void> {
  for await (const line of lines.lines) {
    await lines.write(JSON.stringify(await answer(line, options)));
  }
}

async function answer(
  line: string,
  { handle, log }: ControlOptions,
): Promise<z.input<typeof REPLY>> {
  try {
    const states = await handle(parseRequest(line));
    return { states: states.map((state) => STATE.parse(state)) };
  } catch (error) {
    if (error instanceof UserError) return { error: error.message, hint: error.hint };
    log.error('a request failed', { error: messageOf(error) });
    return { error: `the supervisor failed: ${messageOf(error)}` };
  }
}

function parseRequest(line: string): SupervisorRequest {
  try {
    return REQUEST.parse(JSON.parse(line));
  } catch (cause) {
    throw new UserError('the supervisor does not understand the request', { cause });
  }
}
