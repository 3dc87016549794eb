import type { Duplex } from 'node:stream';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface DialOptions {
  readonly signal: AbortSignal;
  /**
   * Streams with different words never share a Tor circuit (IsolateSOCKSAuth). The word is sent to
   * the local tor only.
   */
  readonly isolation: string;
}

/**
 * Opens a byte stream to an address. The stream is open when the promise resolves.
 * Rejects with `DialError` when it cannot be opened and with the signal's reason when aborted.
 */
export type Dial = (address: Address, options: DialOptions) => Promise<Duplex>;

/** The stream could not be opened. The message says why in plain words. */
export class DialError extends Error {
  override readonly name = 'DialError';
}

/** @throws RangeError unless the text is `host:port`. */
export function parseAddress(text: string): Address {
  const match = /^([^\s:]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port < 1 || port > 65_535) {
    throw new RangeError(`expected host:port, got "${text}"`);
  }
  return { host: match[1], port };
}

export function formatAddress({ host, port }: Address): string {
  return `${host}:${port}`;
}
