/**
 * The RPCs that an Electrum server calls, and no others. Sources: Fulcrum 2.1.1 (BitcoinD.cpp,
 * Controller.cpp, SynchMempoolTask.cpp, Mempool.cpp, Servers.cpp), electrs 0.11.1 (daemon.rs).
 */
export const INDEXER_RPCS = {
  fulcrum: [
    'estimatesmartfee',
    'getblock',
    'getblockchaininfo',
    'getblockcount',
    'getblockhash',
    'getblockheader',
    'getmempoolinfo',
    'getnetworkinfo',
    'getrawmempool',
    'getrawtransaction',
    'getzmqnotifications',
    'sendrawtransaction',
    'submitpackage',
    'uptime',
    'validateaddress',
  ],
  electrs: [
    'estimatesmartfee',
    'getblock',
    'getblockchaininfo',
    'getmempoolentry',
    'getmempoolinfo',
    'getnetworkinfo',
    'getrawmempool',
    'getrawtransaction',
    'sendrawtransaction',
    'submitpackage',
  ],
} as const;

/** What tells how bitcoind is, and changes nothing: for its own cookie's user. */
export const STATUS_RPCS = [
  'getaddrmaninfo',
  'getbestblockhash',
  'getblockchaininfo',
  'getblockcount',
  'getblockheader',
  'getchainstates',
  'getchaintips',
  'getconnectioncount',
  'getindexinfo',
  'getmempoolinfo',
  'getnettotals',
  'getnetworkinfo',
  'getnodeaddresses',
  'getpeerinfo',
  'getrpcinfo',
  'getzmqnotifications',
  'ping',
  'uptime',
] as const;
