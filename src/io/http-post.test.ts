import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'vitest';
import { DialError } from './dial.ts';
import { type HttpReply, httpPost } from './http-post.ts';

const NEVER = new AbortController().signal;

async function postTo(answer: string, maxReplyBytes: number): Promise<HttpReply> {
  const server = createServer((request, reply) => {
    const { method = '', url = '', headers } = request;
    reply.statusCode = 500;
    reply.end(`${method} ${url} ${String(headers['x-test'])} ${answer}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    return await httpPost({
      address: { host: '127.0.0.1', port },
      path: '/rpc',
      headers: { 'x-test': 'yes' },
      body: '{}',
      maxReplyBytes,
      signal: NEVER,
    });
  } finally {
    server.close();
  }
}

test('a POST returns the status and the body, whatever the status', async () => {
  assert.deepEqual(await postTo('ok', 100), { status: 500, body: 'POST /rpc yes ok' });
});

test('a longer answer than allowed is refused', async () => {
  await assert.rejects(postTo('x'.repeat(200), 100), DialError);
});

test('only this machine is ever asked', async () => {
  const elsewhere = {
    address: { host: 'example.org', port: 80 },
    path: '/',
    headers: {},
    body: '',
  };
  await assert.rejects(
    httpPost({ ...elsewhere, maxReplyBytes: 1, signal: NEVER }),
    /not on this machine/,
  );
});

test('a closed port is said to give no answer', async () => {
  const closed = { address: { host: '127.0.0.1', port: 1 }, path: '/', headers: {}, body: '' };
  await assert.rejects(httpPost({ ...closed, maxReplyBytes: 1, signal: NEVER }), DialError);
});
