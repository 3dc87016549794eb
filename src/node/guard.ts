import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { GuardConfig } from '../config/guard-config.ts';
import { Gate } from '../electrum/gate.ts';
import { formatAddress } from '../io/dial.ts';
import { listenTcp, type TcpServer } from '../io/listen.ts';
import { privateDial } from '../io/private-dial.ts';
import { readCircuit } from '../relay/proxy-line.ts';
import { TokenBucket } from '../relay/token-bucket.ts';
import { Visitors } from '../relay/visitors.ts';
import { DEFAULT_GUARD_LIMITS, type GuardLimits } from './guard-limits.ts';
import { guardClient, type GuardQuota } from './guarded-client.ts';

export interface GuardDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<GuardLimits>;
}

/**
 * Lets strangers at an Electrum server that has no limits of its own, or counts all of them as one.
 * Each client has its own connection to the target. Nothing of what is asked is ever logged.
 */
export async function startGuard(
  { listen, target, expectProxyHeader }: GuardConfig,
  { clock, log, ...rest }: GuardDependencies,
): Promise<TcpServer> {
  const limits = { ...DEFAULT_GUARD_LIMITS, ...rest.limits };
  const dial = privateDial(target);
  const longLines = new Gate(limits.longLines);
  const visitors = new Visitors<GuardQuota>({
    most: limits.visitors,
    linksOfEach: limits.connectionsPerVisitor,
    quota: () => ({
      requests: new TokenBucket({ ...limits.requests, clock }),
      answers: new TokenBucket({ ...limits.answers, clock }),
    }),
  });

  async function accept(stream: Duplex, peer: string): Promise<void> {
    const name = expectProxyHeader ? await readCircuit(stream, limits.greetingMs) : peer;
    if (name === undefined) return;
    const visitor = visitors.enter(String(name));
    if (visitor === undefined) {
      stream.destroy();
      return;
    }
    await guardClient({
      stream,
      quota: visitor,
      dial: (signal) => dial(target, { signal, isolation: '' }),
      longLines,
      limits,
      log,
    });
    visitors.leave(visitor);
  }

  const server = await listenTcp({
    ...listen,
    maxConnections: limits.connections,
    onConnection: (stream, peer) => void accept(stream, peer),
  });
  log.info('the guard listens', { port: server.port, target: formatAddress(target) });
  return server;
}
