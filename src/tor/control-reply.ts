import { MalformedBytesError } from '../base/bytes.ts';

/** One line of a reply; `data` is what followed it up to a line with a single dot. */
export interface ControlReplyLine {
  readonly text: string;
  readonly data?: readonly string[];
}

/** A whole answer to a command, or an event: status 650. */
export interface ControlReply {
  readonly status: number;
  readonly lines: readonly ControlReplyLine[];
}

const MAX_REPLY_CHARACTERS = 4 * 1024 * 1024;
const LINE = /^(\d{3})([ +-])(.*)$/;

/** Puts the lines of tor's control port together to replies (control-spec section 2.3). */
export class ControlReplyParser {
  #status: string | undefined;
  #lines: ControlReplyLine[] = [];
  #data: string[] | undefined;
  #characters = 0;

  /**
   * Takes a line without its end; returns the reply that it completes.
   * @throws MalformedBytesError for a line that is no reply's, or more than 4 MiB for one reply.
   */
  push(line: string): ControlReply | undefined {
    this.#characters += line.length;
    if (this.#characters > MAX_REPLY_CHARACTERS) throw new MalformedBytesError('reply too long');
    if (this.#data) {
      if (line === '.') this.#data = undefined;
      else this.#data.push(line.startsWith('.') ? line.slice(1) : line);
      return undefined;
    }
    const [, status, mark, text] = LINE.exec(line) ?? [];
    if (status === undefined || text === undefined || status !== (this.#status ?? status)) {
      throw new MalformedBytesError('not a line of a control reply');
    }
    this.#status = status;
    if (mark === '+') this.#data = [];
    this.#lines.push(this.#data ? { text, data: this.#data } : { text });
    return mark === ' ' ? this.#complete(Number(status)) : undefined;
  }

  #complete(status: number): ControlReply {
    const lines = this.#lines;
    this.#status = undefined;
    this.#lines = [];
    this.#characters = 0;
    return { status, lines };
  }
}

const ARGUMENT = /(?:^| )([A-Za-z0-9_]+)=(?:"((?:[^"\\]|\\.)*)"|([^" ]*))(?= |$)/gs;

/** The `KEY=value` and `KEY="quoted value"` parts of a reply's line. */
export function controlArguments(text: string): ReadonlyMap<string, string> {
  return new Map(
    Array.from(text.matchAll(ARGUMENT), ([, key = '', quoted, plain = '']) => [
      key,
      quoted?.replace(/\\(.)/gs, '$1') ?? plain,
    ]),
  );
}

/** How far tor has got on its way into the network. */
export interface BootstrapPhase {
  /** 0 to 100. */
  readonly percent: number;
  /** tor's short name of the step, such as `conn_dir`. */
  readonly tag: string;
  /** The step in words. */
  readonly summary: string;
}

/** From `status/bootstrap-phase`, or a STATUS_CLIENT event; undefined when the text is another's. */
export function parseBootstrapPhase(text: string): BootstrapPhase | undefined {
  if (!/\bBOOTSTRAP\b/.test(text)) return undefined;
  const found = controlArguments(text);
  const percent = Number(found.get('PROGRESS') ?? NaN);
  const tag = found.get('TAG');
  if (!Number.isInteger(percent) || tag === undefined) return undefined;
  return { percent, tag, summary: found.get('SUMMARY') ?? tag };
}

/** A circuit of this tor. */
export interface Circuit {
  /** What CLOSECIRCUIT takes, and what the PROXY header of an onion service tells. */
  readonly id: number;
  /** LAUNCHED, BUILT, GUARD_WAIT, EXTENDED, FAILED or CLOSED. */
  readonly state: string;
  /** Such as GENERAL or HS_SERVICE_REND. */
  readonly purpose: string | undefined;
  readonly hops: number;
}

/**
 * From a line of `circuit-status` (control-spec section 4.1.1).
 * @throws MalformedBytesError when it is not one.
 */
export function parseCircuit(line: string): Circuit {
  const [id = '', state = '', path = ''] = line.split(' ');
  if (!/^\d{1,10}$/.test(id) || !/^[A-Z_]+$/.test(state)) {
    throw new MalformedBytesError('not a circuit');
  }
  return {
    id: Number(id),
    state,
    purpose: controlArguments(line).get('PURPOSE'),
    hops: path.startsWith('$') ? path.split(',').length : 0,
  };
}
