import { concatBytes } from '../src/base/bytes.ts';
import { networkParams } from '../src/bitcoin/networks.ts';
import type { RegtestChain } from '../src/devnet/chain.ts';
import { chainAnswers } from '../src/devnet/chain-answers.ts';
import type { ElectrumClient } from '../src/electrum/client.ts';
import type { FollowedHeaders } from '../src/electrum/follow-headers.ts';
import { HeaderChain } from '../src/electrum/header-chain.ts';
import type { GatewayHandler } from '../src/relay/gateway-handler.ts';
import { electrumHandler } from '../src/node/electrum-handler.ts';
import { payingChain, testScript } from './chain-histories.ts';
import { TEST_TIME } from './test-directory.ts';

type Client = Pick<ElectrumClient, 'call'>;

/** A chain with some payments, and an Electrum server of it that answers without a connection. */
export interface ProbedChain {
  readonly chain: RegtestChain;
  readonly client: Client;
  readonly headers: Pick<FollowedHeaders, 'chain' | 'reach'>;
  /** An honest gateway with this server as its target. */
  readonly gateway: GatewayHandler;
  /** Scripts that were paid. */
  readonly paid: readonly string[];
}

const PAYMENTS = 12;

export function probedChain(): ProbedChain {
  const chain = payingChain();
  const paid = Array.from({ length: PAYMENTS }, (_, index) => {
    const { script, scriptHash } = testScript(`address ${index}`);
    chain.pay(script, 50_000n);
    chain.mine(1);
    return scriptHash;
  });
  const answers: Readonly<Record<string, unknown>> = chainAnswers(chain);
  const client: ElectrumClient = {
    protocol: '1.6',
    serverName: 'test',
    on: () => () => undefined,
    async call(method, params) {
      const answer = answers[method] as (params: unknown) => Promise<never>;
      return await answer(params);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const headerChain = new HeaderChain(networkParams('regtest'), () => TEST_TIME * 1000);
  const follow = (): void => {
    headerChain.connect(1, concatBytes(...chain.blocks.slice(1).map(({ header }) => header)));
  };
  follow();
  chain.subscribe(follow);
  const headers = {
    chain: headerChain,
    reach: () => Promise.resolve(),
    resume: () => undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const clock = (): number => 0;
  const gateway = electrumHandler({ client, headers, clock, software: 'test' });
  return { chain, client, headers, gateway, paid };
}
