import { encodeHeader } from './block-header.ts';

export const NETWORKS = ['mainnet', 'testnet4', 'signet', 'regtest'] as const;

export type Network = (typeof NETWORKS)[number];

/**
 * How the target of a block follows from the blocks before it.
 * - `fixed`: it never changes (regtest).
 * - `every-period`: after each period by the time that all but the first of its blocks took
 *   (mainnet, signet).
 * - `bip94`: the same from the target of the period's first block; a block 20 minutes after the one
 *   before may have the easiest target; a period may not start over 10 minutes before the last one
 *   ended (testnet4).
 */
export type RetargetRule = 'fixed' | 'every-period' | 'bip94';

/** What makes a network's block headers valid, and how it writes addresses. */
export interface NetworkParams {
  /** The 80 bytes of the first header. */
  readonly genesis: Uint8Array;
  /** Hex in display order. */
  readonly genesisHash: string;
  /** The easiest target, in compact form. */
  readonly powLimit: number;
  readonly retarget: RetargetRule;
  /** How many blocks a retarget period has. */
  readonly periodBlocks: number;
  /** Prefixes of addresses, as @scure/btc-signer takes them. */
  readonly addresses: AddressPrefixes;
}

export interface AddressPrefixes {
  readonly bech32: string;
  readonly pubKeyHash: number;
  readonly scriptHash: number;
  readonly wif: number;
}

export const BLOCK_SPACING_SECONDS = 600;
const PERIOD_BLOCKS = 2016;

const SATOSHIS_MERKLE_ROOT = '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b';
const TEST_ADDRESSES = { bech32: 'tb', pubKeyHash: 0x6f, scriptHash: 0xc4, wif: 0xef };

/** Source: Bitcoin Core, kernel/chainparams.cpp. */
const PARAMS: Readonly<Record<Network, NetworkParams>> = {
  mainnet: {
    genesis: genesis({ time: 1_231_006_505, bits: 0x1d00_ffff, nonce: 2_083_236_893 }),
    genesisHash: '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f',
    powLimit: 0x1d00_ffff,
    retarget: 'every-period',
    periodBlocks: PERIOD_BLOCKS,
    addresses: { bech32: 'bc', pubKeyHash: 0x00, scriptHash: 0x05, wif: 0x80 },
  },
  testnet4: {
    genesis: genesis({
      time: 1_714_777_860,
      bits: 0x1d00_ffff,
      nonce: 393_743_547,
      merkleRoot: '7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e',
    }),
    genesisHash: '00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043',
    powLimit: 0x1d00_ffff,
    retarget: 'bip94',
    periodBlocks: PERIOD_BLOCKS,
    addresses: TEST_ADDRESSES,
  },
  signet: {
    genesis: genesis({ time: 1_598_918_400, bits: 0x1e03_77ae, nonce: 52_613_770 }),
    genesisHash: '00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6',
    powLimit: 0x1e03_77ae,
    retarget: 'every-period',
    periodBlocks: PERIOD_BLOCKS,
    addresses: TEST_ADDRESSES,
  },
  regtest: {
    genesis: genesis({ time: 1_296_688_602, bits: 0x207f_ffff, nonce: 2 }),
    genesisHash: '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206',
    powLimit: 0x207f_ffff,
    retarget: 'fixed',
    periodBlocks: PERIOD_BLOCKS,
    addresses: { ...TEST_ADDRESSES, bech32: 'bcrt' },
  },
};

/**
 * A signet block's signature is in its coinbase, so headers prove only signet's small proof of work,
 * which anyone can forge: signet is for testing.
 */
export function networkParams(network: Network): NetworkParams {
  return PARAMS[network];
}

interface GenesisFields {
  readonly time: number;
  readonly bits: number;
  readonly nonce: number;
  readonly merkleRoot?: string;
}

function genesis({ merkleRoot = SATOSHIS_MERKLE_ROOT, ...fields }: GenesisFields): Uint8Array {
  return encodeHeader({ version: 1, previousHash: '00'.repeat(32), merkleRoot, ...fields });
}
