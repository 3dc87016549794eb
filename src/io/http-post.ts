import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { type Address, DialError, formatAddress } from './dial.ts';

export interface HttpPost {
  /** On this machine. */
  readonly address: Address;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** A longer answer is refused. */
  readonly maxReplyBytes: number;
  readonly signal: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly body: string;
}

/**
 * One POST over its own connection to 127.0.0.1 or ::1: a program's RPC port, and nothing beyond.
 * @throws DialError when nobody answers there, or not in HTTP; the signal's reason when aborted.
 */
export async function httpPost(post: HttpPost): Promise<HttpReply> {
  const { address, path, headers, body, maxReplyBytes, signal } = post;
  if (!['127.0.0.1', '::1'].includes(address.host)) {
    throw new DialError(`${formatAddress(address)} is not on this machine`);
  }
  signal.throwIfAborted();
  const { host, port } = address;
  try {
    const sent = request({ host, port, path, headers, method: 'POST', agent: false, signal });
    sent.end(body);
    const [reply] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: reply.statusCode ?? 0, body: await readBody(reply, maxReplyBytes) };
  } catch (cause) {
    signal.throwIfAborted();
    throw new DialError(`no answer from ${formatAddress(address)}`, { cause });
  }
}

async function readBody(reply: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new RangeError(`an answer of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
