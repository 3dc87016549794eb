export interface RegtestConfSettings {
  readonly rpcPort: number;
  /** electrs before 0.12 fetches blocks here. */
  readonly p2pPort: number;
  /** Where Fulcrum hears of new blocks and transactions at once. */
  readonly zmqPort: number;
}

/**
 * bitcoin.conf of a regtest node that an Electrum server indexes. Everything is on 127.0.0.1 and
 * nothing looks beyond it; the password is bitcoind's own cookie. In regtest the ports and binds
 * count only in their section.
 */
export function renderRegtestConf({ rpcPort, p2pPort, zmqPort }: RegtestConfSettings): string {
  return `regtest=1
server=1
rest=1
txindex=1
dbcache=64
fallbackfee=0.00002
dns=0
dnsseed=0
fixedseeds=0
discover=0
listenonion=0
natpmp=0
[regtest]
listen=1
bind=127.0.0.1:${p2pPort}
whitelist=download@127.0.0.1
connect=0
rpcbind=127.0.0.1
rpcallowip=127.0.0.1
rpcport=${rpcPort}
zmqpubhashblock=tcp://127.0.0.1:${zmqPort}
zmqpubhashtx=tcp://127.0.0.1:${zmqPort}
`;
}
