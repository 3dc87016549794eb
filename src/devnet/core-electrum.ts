import { basename, join } from 'node:path';
import { type Child, startChild } from '../io/child-process.ts';
import { type Address, formatAddress } from '../io/dial.ts';
import { makePrivateDirectory, writeDurably } from '../io/durable-file.ts';
import type { Reaper } from '../io/reaper.ts';
import type { CoreDaemon } from './core-daemon.ts';

export interface CoreElectrumOptions {
  /** The path of Fulcrum or electrs. */
  readonly command: string;
  readonly daemon: Pick<CoreDaemon, 'rpcAddress' | 'p2pAddress' | 'cookiePath'>;
  /** Private; removed by its owner. */
  readonly directory: string;
  readonly listen: Address;
  readonly signal: AbortSignal;
  readonly reaper: Reaper;
}

const STOP_TIMEOUT_MS = 20_000;

/** Starts an Electrum server over bitcoind. It opens its port when it has its index. */
export async function startCoreElectrum(options: CoreElectrumOptions): Promise<Child> {
  const { command, directory, signal, reaper } = options;
  await makePrivateDirectory(join(directory, 'index'));
  const isFulcrum = basename(command) === 'Fulcrum';
  const configPath = join(directory, isFulcrum ? 'fulcrum.conf' : 'electrs.toml');
  await writeDurably(configPath, isFulcrum ? fulcrumConf(options) : electrsConf(options));
  return await startChild({
    command,
    args: isFulcrum ? [configPath] : ['--skip-default-conf-files', '--conf', configPath],
    // electrs from 0.12 on has no such option, and ignores what it does not know in its environment.
    env: { ELECTRS_DAEMON_P2P_ADDR: formatAddress(options.daemon.p2pAddress) },
    cwd: directory,
    signal,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    reaper,
  });
}

function fulcrumConf({ daemon, directory, listen }: CoreElectrumOptions): string {
  return `datadir = ${join(directory, 'index')}
bitcoind = ${formatAddress(daemon.rpcAddress)}
rpccookie = ${daemon.cookiePath}
tcp = ${formatAddress(listen)}
polltime = 0.5
zmq_allow_hashtx = true
peering = false
announce = false
anon_logs = true
`;
}

/** A JSON string is a basic string of TOML. */
function electrsConf({ daemon, directory, listen }: CoreElectrumOptions): string {
  return `network = "regtest"
db_dir = ${JSON.stringify(join(directory, 'index'))}
cookie_file = ${JSON.stringify(daemon.cookiePath)}
daemon_rpc_addr = "${formatAddress(daemon.rpcAddress)}"
electrum_rpc_addr = "${formatAddress(listen)}"
wait_duration_secs = 1
log_filters = "WARN"
`;
}
