import type { Duplex } from 'node:stream';

/** PROXY protocol version 1 allows no longer line, its end included. */
const MAX_LINE_BYTES = 107;
const NEWLINE = 0x0a;

/**
 * tor writes `PROXY TCP6 fc00:dead:beef:4dad::HHHH:LLLL ::1 <port> <port>` as the first line of each
 * stream of an onion service (HiddenServiceExportCircuitID); HHHH:LLLL is its number of the circuit.
 */
const PROXY_LINE =
  /^PROXY TCP6 fc00:dead:beef:4dad::([0-9a-f]{1,4}):([0-9a-f]{1,4}) ::1 \d{1,5} \d{1,5}\r\n$/;

/** The number of the circuit, 32 bits, or undefined when the line, CR LF included, is not tor's. */
export function circuitOfProxyLine(line: string): number | undefined {
  const [, high, low] = PROXY_LINE.exec(line) ?? [];
  if (high === undefined || low === undefined) return undefined;
  return Number.parseInt(high, 16) * 0x1_0000 + Number.parseInt(low, 16);
}

/**
 * Takes the first line off a stream and gives the circuit it names; what follows stays to be read.
 * Undefined when the line is not tor's or does not come in time: the stream is destroyed.
 */
export async function readCircuit(stream: Duplex, timeoutMs: number): Promise<number | undefined> {
  const circuit = circuitOfProxyLine(await readFirstLine(stream, timeoutMs));
  if (circuit === undefined) stream.destroy();
  return circuit;
}

/** Empty when there is none. */
function readFirstLine(stream: Duplex, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    let held = Buffer.alloc(0);
    const settle = (line: string): void => {
      clearTimeout(timer);
      stream.off('readable', read).off('close', giveUp);
      resolve(line);
    };
    const giveUp = (): void => {
      settle('');
    };
    const read = (): void => {
      const chunk = stream.read() as Buffer | null;
      if (chunk === null) return;
      held = Buffer.concat([held, chunk]);
      const end = held.subarray(0, MAX_LINE_BYTES).indexOf(NEWLINE) + 1;
      if (end === 0 && held.length < MAX_LINE_BYTES) return;
      if (end < held.length) stream.unshift(held.subarray(end));
      settle(held.toString('latin1', 0, end));
    };
    const timer = setTimeout(giveUp, timeoutMs);
    stream.on('readable', read).on('close', giveUp);
    read();
  });
}
