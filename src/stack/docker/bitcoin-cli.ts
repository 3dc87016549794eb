import type { z } from 'zod';
import { BitcoinRpcError, type RpcCall } from '../../bitcoin/rpc-client.ts';
import { DialError } from '../../io/dial.ts';
import type { ProgramOutput } from '../../io/run-program.ts';
import { explainDocker } from './docker-complaint.ts';
import { runDocker } from './docker-program.ts';

const TIMEOUT_MS = 30_000;
const MS_PER_SECOND = 1_000;
/** For docker to start and end the program. */
const MARGIN_MS = 5_000;

/**
 * Calls bitcoind through `bitcoin-cli` in its container, which reads the cookie there: no password
 * comes out. Parameters go over standard input, where no list of processes shows them.
 * @param container name or id.
 * @throws BitcoinRpcError what bitcoind answered; DialError when it does not answer; ZodError when
 * the answer is not of the asked shape; the signal's reason.
 */
export async function callThroughCli<T extends z.ZodType>(
  container: string,
  { method, params = [], result, signal, timeoutMs = TIMEOUT_MS }: RpcCall<T>,
): Promise<z.output<T>> {
  const settings = ['-conf=/config/bitcoin.conf', '-datadir=/data'];
  const patience = `-rpcclienttimeout=${Math.ceil(timeoutMs / MS_PER_SECOND)}`;
  const output = await runDocker(
    ['exec', '--interactive', container, 'bitcoin-cli', ...settings, patience, '-stdin'],
    {
      input: [method, ...params.map(asArgument)].map((line) => `${line}\n`).join(''),
      timeoutMs: timeoutMs + MARGIN_MS,
      signal,
    },
  );
  if (output.code !== 0) throw failureOf(output);
  return readResult(output.stdout, result);
}

/** As bitcoin-cli takes it: texts bare, everything else as JSON. */
function asArgument(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (/[\r\n\0]/.test(text)) throw new RangeError('a parameter is one line');
  return text;
}

/** bitcoin-cli prints a text bare, null as nothing and everything else as JSON. */
export function readResult<T extends z.ZodType>(stdout: string, result: T): z.output<T> {
  const text = stdout.replace(/\n$/, '');
  const parsed = result.safeParse(text === '' ? null : jsonOr(text));
  return parsed.success ? parsed.data : result.parse(text);
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const RPC_ERROR = /^error code: (-?\d{1,6})\nerror message:\n([\s\S]*)$/m;
const REFUSED = 'Authorization failed';
const UNAUTHORIZED = 401;
const FORBIDDEN = 403;
const NOT_ALLOWED = 'server returned HTTP error 403';
/** From bitcoin-cli; and from docker, when the container does not run or restarts. */
const SILENT =
  /Could not connect to the server|timeout on transient error|Could not locate RPC credentials|No such container|is not running|is restarting/;

/** What a call that failed says on standard error. */
export function failureOf({ stderr, stdout }: ProgramOutput): Error {
  const words = `${stderr}${stdout}`.trim();
  const [, code, message] = RPC_ERROR.exec(words) ?? [];
  if (code !== undefined && message !== undefined) {
    return new BitcoinRpcError(Number(code), message.trim());
  }
  if (words.includes(REFUSED)) {
    return new BitcoinRpcError(UNAUTHORIZED, 'bitcoind refuses the password');
  }
  if (words.includes(NOT_ALLOWED)) {
    return new BitcoinRpcError(FORBIDDEN, 'bitcoind does not allow this call');
  }
  if (SILENT.test(words)) return new DialError(`bitcoind does not answer: ${firstLine(words)}`);
  return explainDocker(['exec', 'bitcoin-cli'], words);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
