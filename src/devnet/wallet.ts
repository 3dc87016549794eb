import type { ChainBackend } from './chain-backend.ts';
import { type Purse, purseOf } from './purse.ts';

/** What an address of the wallet has seen. */
type AddressUse = 'once' | 'several' | 'busy' | 'mempool' | 'unused';

export interface WalletAddress extends Purse {
  readonly use: AddressUse;
  /** In the order of the payments. */
  readonly txids: readonly string[];
}

export interface WalletOptions {
  /** Decides the keys. */
  readonly seed: Uint8Array;
  /** At least 3: the last is unused, the last but one has a payment in the mempool only. */
  readonly addresses: number;
  /** So many confirmed payments to the first address; as any other without. */
  readonly busiest?: number;
  /** Payments to an address that has several: 3 unless given. */
  readonly several?: number;
}

const SEVERAL = 3;
/** Every so many-th address has several payments. */
const SEVERAL_EACH = 4;
/** Stays under Bitcoin Core's limit for chains of unconfirmed transactions. */
const PAYMENTS_IN_BLOCK = 20;
const SMALLEST_SATS = 20_000;

/** Makes a wallet of P2WPKH addresses and pays to them; when it resolves, the chain knows all of it. */
export async function fundWallet(
  backend: Pick<ChainBackend, 'mine' | 'pay'>,
  options: WalletOptions,
): Promise<WalletAddress[]> {
  if (options.addresses < 3) throw new RangeError('the wallet has at least 3 addresses');
  const wallet = Array.from({ length: options.addresses }, (_, index) => ({
    ...purseOf(options.seed, `address ${index}`),
    use: useOf(index, options),
    txids: [] as string[],
  }));
  const confirmed = wallet.map(({ use }) => confirmedPayments(use, options));
  let paid = 0;
  for (let round = 0; round < Math.max(...confirmed); round += 1) {
    for (const [index, address] of wallet.entries()) {
      if (round >= (confirmed[index] ?? 0)) continue;
      address.txids.push(await backend.pay(address.address, BigInt(SMALLEST_SATS + paid)));
      paid += 1;
      if (paid % PAYMENTS_IN_BLOCK === 0) await backend.mine(1);
    }
  }
  await backend.mine(1);
  for (const { use, address, txids } of wallet) {
    if (use === 'mempool') txids.push(await backend.pay(address, BigInt(SMALLEST_SATS)));
  }
  return wallet;
}

function useOf(index: number, { addresses, busiest }: WalletOptions): AddressUse {
  if (index === addresses - 1) return 'unused';
  if (index === addresses - 2) return 'mempool';
  if (index === 0 && busiest !== undefined) return 'busy';
  return index % SEVERAL_EACH === 0 ? 'several' : 'once';
}

function confirmedPayments(
  use: AddressUse,
  { busiest = 0, several = SEVERAL }: WalletOptions,
): number {
  return { once: 1, several, busy: busiest, mempool: 0, unused: 0 }[use];
}
