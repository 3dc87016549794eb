import { fromHex } from '../base/bytes.ts';
import { type BlockHeader, parseHeader } from '../bitcoin/block-header.ts';
import { momentOf, secondsLeft, verifyBond } from '../bond/verify-bond.ts';
import type { NodeId } from '../directory/node-id.ts';
import type { ElectrumClient } from '../electrum/client.ts';
import { openBond } from './open-bond.ts';

export interface CheckBondOptions {
  readonly nodeId: NodeId;
  /** Of the node's own Electrum server, whose headers are taken as they are. */
  readonly client: Pick<ElectrumClient, 'call'>;
  readonly signal: AbortSignal;
}

/** What a bond is worth, and until when. */
export interface BondState {
  readonly sats: number;
  /** Whole days until certificate or lock end. */
  readonly daysLeft: number;
  /** Whether it is time to sign a new certificate, or to lock other coins. */
  readonly endsSoon: boolean;
}

const DAY_SECONDS = 86_400;
const SOON_DAYS = 30;
/** What the median time is of. */
const NEWEST = 11;

/**
 * Reads the file of the node's bond and checks it as the authorities will.
 * @throws UserError as `openBond`; DirectoryError as `verifyBond`; what the Electrum server answers instead of a header.
 */
export async function checkBond(
  path: string,
  { nodeId, client, signal }: CheckBondOptions,
): Promise<BondState> {
  const { claim } = await openBond(path, nodeId);
  const tip = await client.call('blockchain.headers.subscribe', {}, { signal });
  const headers = new Map<number, BlockHeader>();
  const newest = Array.from({ length: NEWEST }, (_, below) => tip.height - below);
  for (const height of new Set([...newest, claim.proof.block.height])) {
    if (height < 0 || height > tip.height) continue;
    const params = { height, cp_height: 0 };
    const header = await client.call('blockchain.block.header', params, { signal });
    const hex = typeof header === 'string' ? header : header.header;
    headers.set(height, parseHeader(fromHex(hex)));
  }
  const chain = { tip, headerAt: (height: number) => headers.get(height) };
  verifyBond(claim, chain);
  return { sats: claim.bond.sats, ...timeOf(secondsLeft(claim.bond, momentOf(chain))) };
}

/** In days, for people. */
export function timeOf(seconds: number): Pick<BondState, 'daysLeft' | 'endsSoon'> {
  const daysLeft = Math.floor(seconds / DAY_SECONDS);
  return { daysLeft, endsSoon: daysLeft < SOON_DAYS };
}
