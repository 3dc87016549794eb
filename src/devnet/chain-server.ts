import type { Logger } from '../base/log.ts';
import { type ElectrumHandlers, serveElectrumSession } from '../electrum/session.ts';
import { listenTcp, type TcpServer } from '../io/listen.ts';
import type { RegtestChain } from './chain.ts';
import { chainAnswers, SERVER_NAME } from './chain-answers.ts';
import { ChainSubscriptions } from './chain-subscriptions.ts';

/** What a server sees of a client: the calls of one connection, in their order. */
export interface ServerObservation {
  /** Counted from 1. */
  readonly connection: number;
  readonly method: string;
  readonly params: unknown;
}

export interface ChainServerOptions {
  readonly chain: RegtestChain;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly log: Logger;
  readonly observe?: (observation: ServerObservation) => void;
}

const MAX_CONNECTIONS = 1000;

/** An Electrum server (1.4 to 1.6) over a chain. Many can serve the same one. */
export async function startChainServer(options: ChainServerOptions): Promise<TcpServer> {
  const { chain, host, port, log, observe } = options;
  const answers = chainAnswers(chain);
  let connections = 0;
  const server = await listenTcp({
    host,
    port,
    maxConnections: MAX_CONNECTIONS,
    onConnection: (stream) => {
      connections += 1;
      const connection = connections;
      const subscriptions = new ChainSubscriptions(chain);
      const handlers = { ...answers, ...subscriptions.handlers };
      const session = serveElectrumSession({
        stream,
        handlers: observe
          ? observed(handlers, (method, params) => {
              observe({ connection, method, params });
            })
          : handlers,
        serverName: SERVER_NAME,
        log,
      });
      const stop = chain.subscribe((change) => {
        subscriptions.notify(session, change);
      });
      void session.closed.finally(stop);
    },
  });
  log.info('the chain is served', { height: chain.tip.height, port: server.port });
  return server;
}

type Call = (params: never, context: never) => unknown;

function observed(
  handlers: ElectrumHandlers,
  observe: (method: string, params: unknown) => void,
): ElectrumHandlers {
  const entries = Object.entries(handlers).map(([method, answer]: [string, Call]) => {
    const call: Call = (params, context) => {
      observe(method, params);
      return answer(params, context);
    };
    return [method, call];
  });
  // Each method kept its own handler.
  return Object.fromEntries(entries) as ElectrumHandlers;
}
