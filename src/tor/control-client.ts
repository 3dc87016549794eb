import { createHmac, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { concatBytes, equalBytes, fromHex, toHex } from '../base/bytes.ts';
import type { Running } from '../base/lifecycle.ts';
import { lineStream } from '../io/line-stream.ts';
import {
  type BootstrapPhase,
  type Circuit,
  controlArguments,
  type ControlReply,
  ControlReplyParser,
  parseBootstrapPhase,
  parseCircuit,
} from './control-reply.ts';

export interface ControlClientOptions {
  /** An open connection to the control port. */
  readonly stream: Duplex;
  /** Reads the 32 bytes of tor's cookie file; asked once tor has started, and so has written it. */
  readonly readCookie: () => Promise<Uint8Array>;
  /** Names of the events to be told of, such as `HS_DESC`. */
  readonly events: readonly string[];
  /** Takes an event's text, name first. */
  readonly onEvent: (text: string) => void;
}

/** A connection to a tor's control port. */
export interface ControlClient extends Running {
  /** @throws ControlError when tor does not know the key. */
  getInfo(key: string): Promise<string>;
  bootstrapPhase(): Promise<BootstrapPhase>;
  circuits(): Promise<readonly Circuit[]>;
  /** The values that tor has for an option now, in the order of its torrc; none for its default. */
  getConf(option: string): Promise<readonly string[]>;
  /**
   * Sets an option until tor ends or reads its torrc again.
   * @param value without spaces or quotes.
   * @throws ControlError when tor does not take it.
   */
  setConf(option: string, value: string): Promise<void>;
  /** @throws ControlError when there is no such circuit (any more). */
  closeCircuit(id: number): Promise<void>;
  signal(name: 'RELOAD' | 'SHUTDOWN' | 'NEWNYM' | 'ACTIVE'): Promise<void>;
  /** Chooses new guards: the way out when the chosen ones do not work, and a cost to anonymity. */
  dropGuards(): Promise<void>;
  /** From now on tor ends when this connection does. */
  takeOwnership(): Promise<void>;
}

/** tor refused a command. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  /** Of control-spec section 4: 552 is an unknown entity. */
  readonly status: number;

  constructor({ status, lines }: ControlReply) {
    super(`tor refused a command: ${status} ${lines.at(-1)?.text ?? ''}`);
    this.status = status;
  }
}

const MAX_LINE_BYTES = 1024 * 1024;
const COOKIE_BYTES = 32;
const SERVER_KEY = 'Tor safe cookie authentication server-to-controller hash';
const CLIENT_KEY = 'Tor safe cookie authentication controller-to-server hash';

/**
 * Proves to tor, and asks tor to prove, that both can read the cookie (control-spec section 3.24);
 * then subscribes to the events.
 */
export async function startControlClient(options: ControlClientOptions): Promise<ControlClient> {
  const connection = new Connection(options);
  try {
    await authenticate(connection, options.readCookie);
    if (options.events.length > 0) await connection.ask(`SETEVENTS ${options.events.join(' ')}`);
  } catch (error) {
    connection.close();
    throw error;
  }
  const getInfo = (key: string): Promise<string> => connection.getInfo(key);
  return {
    failed: connection.failed,
    getInfo,
    async bootstrapPhase() {
      const phase = parseBootstrapPhase(await getInfo('status/bootstrap-phase'));
      if (!phase) throw new Error('tor told no bootstrap phase');
      return phase;
    },
    async getConf(option) {
      const { lines } = await connection.ask(`GETCONF ${option}`);
      const prefix = `${option}=`;
      return lines.flatMap(({ text }) =>
        text.startsWith(prefix) ? [text.slice(prefix.length)] : [],
      );
    },
    setConf: (option, value) => connection.tell(`SETCONF ${option}=${value}`),
    async circuits() {
      const status = await getInfo('circuit-status');
      return status.split('\n').filter(Boolean).map(parseCircuit);
    },
    closeCircuit: (id) => connection.tell(`CLOSECIRCUIT ${id}`),
    signal: (name) => connection.tell(`SIGNAL ${name}`),
    dropGuards: () => connection.tell('DROPGUARDS'),
    takeOwnership: () => connection.tell('TAKEOWNERSHIP'),
    async [Symbol.asyncDispose]() {
      connection.close();
      await connection.ended;
    },
  };
}

async function authenticate(
  connection: Connection,
  readCookie: ControlClientOptions['readCookie'],
): Promise<void> {
  // A tor that starts listens before it has a new cookie, and answers after it.
  await connection.ask('PROTOCOLINFO 1');
  const cookie = await readCookie();
  if (cookie.length !== COOKIE_BYTES) throw new Error('the control cookie has a wrong length');
  const clientNonce = randomBytes(32);
  const reply = await connection.ask(`AUTHCHALLENGE SAFECOOKIE ${toHex(clientNonce)}`);
  const challenge = controlArguments(reply.lines[0]?.text ?? '');
  const serverNonce = fromHex(challenge.get('SERVERNONCE') ?? '');
  const message = concatBytes(cookie, clientNonce, serverNonce);
  const hmac = (key: string): Uint8Array => createHmac('sha256', key).update(message).digest();
  if (!equalBytes(fromHex(challenge.get('SERVERHASH') ?? ''), hmac(SERVER_KEY))) {
    throw new Error('what answers at the control port does not know the control cookie');
  }
  await connection.ask(`AUTHENTICATE ${toHex(hmac(CLIENT_KEY))}`);
}

interface Waiting {
  readonly resolve: (reply: ControlReply) => void;
  readonly reject: (error: Error) => void;
}

const EVENT = 650;

/** Commands and replies in turn; events in between. */
class Connection {
  readonly ended: Promise<void>;
  readonly failed: Promise<never>;
  readonly #lines;
  readonly #onEvent: (text: string) => void;
  readonly #waiting: Waiting[] = [];
  #closed = false;

  constructor({ stream, onEvent }: ControlClientOptions) {
    this.#lines = lineStream(stream, MAX_LINE_BYTES);
    this.#onEvent = onEvent;
    const reading = this.#read();
    this.ended = reading.then(
      () => undefined,
      () => undefined,
    );
    this.failed = reading.then(() => new Promise<never>(() => undefined));
    this.failed.catch(() => undefined);
  }

  async ask(command: string): Promise<ControlReply> {
    if (/[\r\n]/.test(command)) throw new RangeError('a command is one line');
    if (this.#closed) throw new Error('the control connection is closed');
    const answered = new Promise<ControlReply>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
    await this.#lines.write(`${command}\r`);
    const reply = await answered;
    if (reply.status !== 250) throw new ControlError(reply);
    return reply;
  }

  async tell(command: string): Promise<void> {
    await this.ask(command);
  }

  async getInfo(key: string): Promise<string> {
    const { lines } = await this.ask(`GETINFO ${key}`);
    const line = lines.find(({ text }) => text.startsWith(`${key}=`));
    if (!line) throw new Error(`tor did not answer what ${key} is`);
    return line.data?.join('\n') ?? line.text.slice(key.length + 1);
  }

  close(): void {
    this.#closed = true;
    this.#lines.close();
  }

  async #read(): Promise<void> {
    const parser = new ControlReplyParser();
    try {
      for await (const line of this.#lines.lines) {
        const reply = parser.push(line);
        if (reply?.status === EVENT) this.#onEvent(reply.lines[0]?.text ?? '');
        else if (reply) this.#waiting.shift()?.resolve(reply);
      }
      if (!this.#closed) throw new Error('tor closed the control connection');
    } finally {
      this.close();
      const lost = new Error('the control connection was lost');
      for (const { reject } of this.#waiting.splice(0)) reject(lost);
    }
  }
}
