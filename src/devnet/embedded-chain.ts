import type { Clock } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { scriptOfAddress } from '../bitcoin/address.ts';
import { RegtestChain } from './chain.ts';
import { type ChainBackend, type ChainTip, FIRST_BLOCKS } from './chain-backend.ts';
import { TransactionRejectedError } from './chain-policy.ts';
import { type ServerObservation, startChainServer } from './chain-server.ts';

export interface EmbeddedChainOptions {
  /** Decides the miner's key. */
  readonly seed: Uint8Array;
  readonly clock: Clock;
  /** Of the Electrum server; 127.0.0.1 unless given. */
  readonly host?: string;
  /** Of the Electrum server; 0 picks a free one. */
  readonly port: number;
  readonly log: Logger;
  readonly observe?: (observation: ServerObservation) => void;
}

export interface EmbeddedChain extends ChainBackend {
  /** For more servers over the same chain. */
  readonly chain: RegtestChain;
}

/** A chain in memory that has its first spendable reward, and an Electrum server over it. */
export async function startEmbeddedChain(options: EmbeddedChainOptions): Promise<EmbeddedChain> {
  const { seed, clock, host = '127.0.0.1', ...rest } = options;
  const chain = new RegtestChain({ seed, clock });
  chain.mine(FIRST_BLOCKS);
  const server = await startChainServer({ ...rest, chain, host });
  const tip = (): ChainTip => ({ height: chain.tip.height, hash: chain.tip.hash });
  return {
    chain,
    electrum: { host: server.host, port: server.port },
    failed: server.failed,
    tip: () => settled(tip),
    mine: (blocks) =>
      settled(() => {
        chain.mine(blocks);
        return tip();
      }),
    pay: (address, sats) => settled(() => chain.pay(scriptOfAddress(address, 'regtest'), sats)),
    reorg: (depth) =>
      settled(() => {
        chain.reorg(depth);
        return tip();
      }),
    broadcast: (raw) => settled(() => broadcast(chain, raw)),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function broadcast(chain: RegtestChain, raw: Uint8Array): string {
  try {
    return chain.broadcast(raw);
  } catch (error) {
    if (!(error instanceof TransactionRejectedError)) throw error;
    throw new UserError(`the chain refuses the transaction: ${error.message}`, { cause: error });
  }
}

/** What is thrown becomes a rejection. */
function settled<T>(act: () => T): Promise<T> {
  return Promise.resolve().then(act);
}
