import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'vitest';
import * as z from 'zod';
import { DialError } from '../io/dial.ts';
import { BitcoinRpcError, RPC_IN_WARMUP, RpcClient } from './rpc-client.ts';

const NEVER = new AbortController().signal;

async function callTo(
  status: number,
  answer: string,
): Promise<{ result: unknown; asked: unknown }> {
  let asked: unknown;
  const server = createServer((request, reply) => {
    void (async () => {
      let body = '';
      for await (const chunk of request as AsyncIterable<Buffer>) body += String(chunk);
      asked = { authorization: request.headers.authorization, body: JSON.parse(body) as unknown };
      reply.statusCode = status;
      reply.end(answer);
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new RpcClient({
    address: { host: '127.0.0.1', port },
    credentials: () => Promise.resolve('__cookie__:secret'),
    timeoutMs: 5_000,
  });
  try {
    const result = await client.call({
      method: 'getblockhash',
      params: [7],
      result: z.string(),
      signal: NEVER,
    });
    return { result, asked };
  } finally {
    server.close();
  }
}

test('a call carries the cookie and returns the result', async () => {
  assert.deepEqual(await callTo(200, '{"result":"00ab","error":null,"id":0}'), {
    result: '00ab',
    asked: {
      authorization: `Basic ${Buffer.from('__cookie__:secret').toString('base64')}`,
      body: { jsonrpc: '1.0', id: 0, method: 'getblockhash', params: [7] },
    },
  });
});

test('an error of bitcoind keeps its code, whatever the HTTP status', async () => {
  await assert.rejects(
    callTo(500, '{"result":null,"error":{"code":-28,"message":"Loading"},"id":0}'),
    (error) => error instanceof BitcoinRpcError && error.code === RPC_IN_WARMUP,
  );
});

test('a refused password is told apart, without the password', async () => {
  await assert.rejects(
    callTo(401, ''),
    (error) => error instanceof BitcoinRpcError && !error.message.includes('secret'),
  );
});

test('an answer of another shape is no result', async () => {
  await assert.rejects(callTo(200, '{"result":7,"error":null,"id":0}'), { name: 'ZodError' });
  await assert.rejects(callTo(200, 'hello'), SyntaxError);
});

test('a bitcoind that does not listen gives a DialError', async () => {
  const client = new RpcClient({
    address: { host: '127.0.0.1', port: 1 },
    credentials: () => Promise.resolve('a:b'),
    timeoutMs: 5_000,
  });
  await assert.rejects(client.call({ method: 'ping', result: z.null(), signal: NEVER }), DialError);
});
