import { createHmac } from 'node:crypto';
import type { RpcUser } from './plan-context.ts';
import type { ConfigFile } from './service.ts';

/**
 * A user of bitcoind's RPC. bitcoind is told salt and HMAC only, as its own share/rpcauth/rpcauth.py
 * makes them.
 * @param salt 32 hexadecimal digits, public.
 */
export function rpcUser(options: { name: string; password: string; salt: string }): RpcUser {
  const hmac = createHmac('sha256', options.salt).update(options.password).digest('hex');
  return { ...options, hmac };
}

/** Name and password as Fulcrum and electrs read them, in the form of bitcoind's cookie. */
export function rpcCookieFile({ name, password }: RpcUser): ConfigFile {
  return { name: 'rpc-cookie', text: `${name}:${password}` };
}
