import type { Network } from '../bitcoin/networks.ts';
import { type Address, formatAddress } from '../io/dial.ts';

export const WALLETS = ['electrum', 'sparrow', 'bluewallet'] as const;

export type WalletName = (typeof WALLETS)[number];

/** Where wallets find the server. It speaks no TLS: an onion is encrypted and authenticated by itself. */
export interface WalletServer {
  readonly address: Address;
  readonly network: Network;
  /** The SOCKS port of the tor on the wallet's machine; absent in a local network. */
  readonly proxy?: Address;
}

/** What is typed, pasted or scanned, exactly. */
export interface WalletStrings {
  /** `host:port:t`: Electrum's own notation, which BlueWallet and Sparrow take as a QR code too. */
  readonly server: string;
  /** `tcp://host:port` */
  readonly uri: string;
  readonly electrum: ElectrumStrings;
  readonly sparrow: SparrowStrings;
  readonly bluewallet: BlueWalletStrings;
}

export interface ElectrumStrings {
  /** Starts it with this server and no other. */
  readonly command: string;
  /** The same as keys of its configuration. */
  readonly config: Readonly<Record<string, string | boolean>>;
}

export interface SparrowStrings {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly ssl: false;
  readonly proxy?: string;
}

export interface BlueWalletStrings {
  readonly host: string;
  readonly port: number;
  readonly ssl: false;
  readonly qr: string;
  /** Opens the app on the same phone. */
  readonly link: string;
}

const NETWORK_FLAGS: Readonly<Record<Network, string>> = {
  mainnet: '',
  testnet4: ' --testnet4',
  signet: ' --signet',
  regtest: ' --regtest',
};

/** Sources: the command line and configuration of Electrum 4.3 to 4.8, Sparrow 2.5, BlueWallet 8. */
export function walletStrings({ address, network, proxy }: WalletServer): WalletStrings {
  const { host, port } = address;
  const server = `${formatAddress(address)}:t`;
  const uri = `tcp://${formatAddress(address)}`;
  const socks = proxy && formatAddress(proxy);
  const viaTor = socks === undefined ? '' : ` --proxy socks5:${socks}`;
  return {
    server,
    uri,
    electrum: {
      command: `electrum${NETWORK_FLAGS[network]} --oneserver --server ${server}${viaTor}`,
      config: {
        oneserver: true,
        auto_connect: false,
        server,
        ...(socks !== undefined && { proxy: `socks5:${socks}` }),
      },
    },
    sparrow: { url: uri, host, port, ssl: false, ...(socks !== undefined && { proxy: socks }) },
    bluewallet: {
      host,
      port,
      ssl: false,
      qr: server,
      link: `bluewallet:setelectrumserver?server=${encodeURIComponent(server)}`,
    },
  };
}
