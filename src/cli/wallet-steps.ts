import type { WalletName, WalletStrings } from '../stack/connect.ts';

/** What a person does in a wallet so that it uses a server, as lines. */
export function walletSteps(
  wallet: WalletName,
  { electrum, sparrow, bluewallet }: WalletStrings,
): readonly string[] {
  const viaTor = sparrow.proxy !== undefined;
  switch (wallet) {
    case 'electrum':
      return [
        'Electrum',
        `  ${electrum.command}`,
        ...(viaTor ? ['  With Tor Browser instead of tor, the port of the proxy is 9150.'] : []),
      ];
    case 'sparrow':
      return [
        'Sparrow: Settings, Server, Private Electrum',
        `  URL    ${sparrow.host}  port ${sparrow.port}   (or scan: ${sparrow.url})`,
        '  SSL    off',
        `  Proxy  ${sparrow.proxy ?? 'off'}`,
      ];
    case 'bluewallet':
      return [
        'BlueWallet: Settings, Network, Electrum server: scan the code, or',
        `  ${bluewallet.host}  port ${bluewallet.port}  SSL off`,
        `  On the phone itself: ${bluewallet.link}`,
        ...(viaTor ? ['  It needs Orbot with its VPN on: BlueWallet has no Tor of its own.'] : []),
      ];
  }
}
