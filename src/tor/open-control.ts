import { readIfPresent } from '../io/durable-file.ts';
import { DialError } from '../io/dial.ts';
import { dialUnix } from '../io/unix-socket.ts';
import { type ControlClient, startControlClient } from './control-client.ts';

export interface ConnectControlOptions {
  /** The path of tor's unix socket. */
  readonly socket: string;
  /** The path of the file that proves to tor that we may. */
  readonly cookieFile: string;
  /** Aborts the connecting only, also where tor takes the connection and does not answer. */
  readonly signal: AbortSignal;
  /** Names of the events to be told of, such as `HS_DESC`. */
  readonly events?: readonly string[];
  /** Takes an event's text, name first. */
  readonly onEvent?: (text: string) => void;
}

/**
 * Connects to a tor that listens for its operator on a unix socket.
 * @throws DialError when none does.
 */
export async function connectTorControl(options: ConnectControlOptions): Promise<ControlClient> {
  const { socket, cookieFile, signal, events = [], onEvent = () => undefined } = options;
  const stream = await dialUnix(socket, signal);
  const abort = (): void => void stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  const readCookie = async (): Promise<Uint8Array> => {
    const cookie = await readIfPresent(cookieFile);
    if (cookie === undefined) throw new DialError(`there is no control cookie ${cookieFile}`);
    return cookie;
  };
  try {
    return await startControlClient({ stream, readCookie, events, onEvent });
  } catch (error) {
    stream.destroy();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** As `connectTorControl`, but undefined where no tor runs that could be asked. */
export async function findTorControl(
  options: ConnectControlOptions,
): Promise<ControlClient | undefined> {
  try {
    return await connectTorControl(options);
  } catch (error) {
    if (error instanceof DialError && isNobody(error.cause)) return undefined;
    throw error;
  }
}

/** No socket, or one that a tor which was killed has left. */
function isNobody(cause: unknown): boolean {
  if (!(cause instanceof Error) || !('code' in cause)) return false;
  return cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED';
}
