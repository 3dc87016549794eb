import process from 'node:process';
import { fromUtf8 } from '../../base/bytes.ts';
import { type Address, DialError } from '../../io/dial.ts';
import { readIfPresent } from '../../io/durable-file.ts';
import { tryToDial, tryToResolve } from '../../io/reach.ts';
import { askSocks } from '../../io/socks-request.ts';
import { defaultRouters } from './default-routers.ts';
import { type ProbeReport, probeOrderSchema } from './probe.ts';

// Runs in the network of one of our containers, to try what must fail there.

const order = probeOrderSchema.parse(JSON.parse(process.argv[2] ?? ''));
const { timeoutMs, name } = order;

const [dialled, resolved, resolvedBy, proxied, routers] = await Promise.all([
  Promise.all(order.dial.map((address) => tryToDial(address, timeoutMs))),
  tryToResolve(name, { servers: [], timeoutMs }),
  Promise.all(
    order.resolvers.map((server) => tryToResolve(name, { servers: [server], timeoutMs })),
  ),
  Promise.all(order.proxies.map(tryProxy)),
  readRouters(),
]);
const report: ProbeReport = { dialled, resolved, resolvedBy, proxied, routers };
process.stdout.write(`${JSON.stringify(report)}\n`);
// Names that nobody answers would otherwise hold the process.
process.exit(0);

/** Asks for a public address, for a name, and for the address of a name. */
async function tryProxy(proxy: Address): Promise<ProbeReport['proxied'][number]> {
  const signal = AbortSignal.timeout(timeoutMs);
  const wishes = [
    { command: 'connect', host: '1.1.1.1' },
    { command: 'connect', host: name },
    { command: 'resolve', host: name },
  ] as const;
  try {
    const answers = await Promise.all(
      wishes.map((wish) => askSocks({ ...wish, proxy, port: 443, signal })),
    );
    return answers.includes(0) ? 'granted' : 'refused';
  } catch (error) {
    return error instanceof DialError ? 'absent' : 'granted';
  }
}

async function readRouters(): Promise<string[]> {
  const [four = '', six = ''] = await Promise.all(
    ['/proc/net/route', '/proc/net/ipv6_route'].map(async (path) => {
      const bytes = await readIfPresent(path);
      return bytes && fromUtf8(bytes);
    }),
  );
  return defaultRouters({ four, six });
}
