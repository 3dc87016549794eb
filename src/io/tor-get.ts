import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { messageOf } from '../base/errors.ts';
import { DialError } from './dial.ts';

export interface TorGet {
  /** tor's unix socket for clearnet names. */
  readonly socksPath: string;
  readonly url: `https://${string}`;
  /** Requests with different words go through different circuits. */
  readonly isolation: string;
  /** A longer answer is refused. */
  readonly maxReplyBytes: number;
  readonly signal: AbortSignal;
}

export interface TorReply {
  readonly status: number;
  /** Where a redirection points; it is not followed. */
  readonly location: string | undefined;
  readonly body: string;
}

/** Nobody listens there: were the socket's path overlooked, nothing would get out. */
const NOWHERE = '127.0.0.1:1';

/**
 * One GET through an exit of tor, with TLS to the server itself. tor resolves the name.
 * @throws DialError when there is no answer, or one that is too long; the signal's reason.
 */
export async function torGet(get: TorGet): Promise<TorReply> {
  const { socksPath, url, isolation, maxReplyBytes, signal } = get;
  signal.throwIfAborted();
  const proxy = `socks5h://sotto:${encodeURIComponent(isolation)}@${NOWHERE}`;
  // The types leave out what net.connect takes, and the agent hands on.
  const socketOptions = { path: socksPath } as object;
  const agent = new SocksProxyAgent(proxy, { socketOptions });
  try {
    const sent = request(url, { agent, signal, headers: { accept: '*/*' } });
    sent.end();
    const [reply] = (await once(sent, 'response')) as [IncomingMessage];
    const body = await readBody(reply, maxReplyBytes);
    return { status: reply.statusCode ?? 0, location: reply.headers.location, body };
  } catch (cause) {
    signal.throwIfAborted();
    throw new DialError(`no answer from ${new URL(url).host}: ${messageOf(cause)}`, { cause });
  } finally {
    agent.destroy();
  }
}

async function readBody(reply: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new RangeError(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
