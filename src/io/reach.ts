import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import type { Address } from './dial.ts';

// For probes that must not succeed: what is here speaks to the open internet on purpose, and runs
// nowhere but where nothing should get through.

/** `refused` is an answer too: packets came to somebody who sent one back. */
export type Reach = 'opened' | 'refused' | 'silent';

/** Dials a numeric address, without a proxy, and closes again. Never rejects. */
export async function tryToDial({ host, port }: Address, timeoutMs: number): Promise<Reach> {
  return await new Promise<Reach>((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const settle = (reach: Reach): void => {
      socket.destroy();
      resolve(reach);
    };
    socket.once('connect', () => {
      settle('opened');
    });
    socket.once('timeout', () => {
      settle('silent');
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      settle(code === 'ECONNREFUSED' || code === 'ECONNRESET' ? 'refused' : 'silent');
    });
  });
}

/** What c-ares calls an answer of a server that asked somebody, or knows: that there is no such name, too. */
const ANSWERS = ['ENOTFOUND', 'ENODATA'];

/**
 * Whether a name is resolved: by the servers, or by those of resolv.conf when there are none. That
 * nobody could be asked is not an answer. Never rejects.
 */
export async function tryToResolve(
  name: string,
  { servers, timeoutMs }: { readonly servers: readonly string[]; readonly timeoutMs: number },
): Promise<boolean> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  if (servers.length > 0) resolver.setServers(servers);
  const timer = setTimeout(() => {
    resolver.cancel();
  }, timeoutMs);
  try {
    await resolver.resolve4(name);
    return true;
  } catch (error) {
    return ANSWERS.includes((error as NodeJS.ErrnoException).code ?? '');
  } finally {
    clearTimeout(timer);
  }
}
