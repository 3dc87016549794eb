import { randomInt } from 'node:crypto';
import * as z from 'zod';
import { fromHex } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { parseHeader } from '../bitcoin/block-header.ts';
import type { RpcClient } from '../bitcoin/rpc-client.ts';
import { mineBlock } from './chain-block.ts';
import { type Core, tipOf } from './core-follow.ts';

/** OP_TRUE: whose reward it is does not matter. */
const REWARD_SCRIPT = Uint8Array.of(0x51);
const MAX_EXTRA_NONCE = 0xffff_ffff;

/**
 * Gives bitcoind a branch of empty blocks that is one block longer than what it replaces. Its own
 * `invalidateblock` would evict payments that are locked to the height they were made at.
 * @throws UserError when there are not so many blocks.
 */
export async function replaceBlocks(
  core: Pick<Core, 'rpc' | 'signal'>,
  depth: number,
): Promise<void> {
  const { rpc, signal } = core;
  const { height } = await tipOf(core);
  if (!Number.isInteger(depth) || depth < 1 || depth > height) {
    throw new UserError(`cannot replace ${depth} of ${height} blocks`);
  }
  let previous = await blockAt(rpc, height - depth, signal);
  for (let mined = 0; mined <= depth; mined += 1) {
    const block = mineBlock({
      previous,
      time: previous.time + 1,
      transactions: [],
      fees: 0n,
      rewardScript: REWARD_SCRIPT,
      extraNonce: randomInt(MAX_EXTRA_NONCE),
    });
    const transactions = block.transactions.map(({ hex }) => hex).join('');
    const params = [`${block.headerHex}01${transactions}`];
    // A block on a branch that is not yet the longest is inconclusive.
    const result = z.literal('inconclusive').nullable();
    await rpc.call({ method: 'submitblock', params, result, signal });
    previous = block;
  }
}

async function blockAt(
  rpc: RpcClient,
  height: number,
  signal: AbortSignal,
): Promise<{ readonly height: number; readonly hash: string; readonly time: number }> {
  const result = z.string();
  const hash = await rpc.call({ method: 'getblockhash', params: [height], result, signal });
  const params = [hash, false];
  const header = await rpc.call({ method: 'getblockheader', params, result, signal });
  return { height, hash, time: parseHeader(fromHex(header)).time };
}
