import { join } from 'node:path';
import type { Logger } from '../base/log.ts';
import { messageOf } from '../base/errors.ts';
import { firstFailure, type Running, Scope } from '../base/lifecycle.ts';
import { chooseSchedule, type ScheduleName } from '../bridge/choose-schedule.ts';
import { openCacheKey, unsealCacheKey } from '../bridge/cache-key.ts';
import { openBridge } from '../bridge/open-bridge.ts';
import type { Bridge } from '../bridge/start-bridge.ts';
import { startStatusSocket, statusSocketIn } from '../bridge/status-socket.ts';
import { loadJson } from '../config/load.ts';
import { type Address, type Dial, formatAddress } from '../io/dial.ts';
import { socksDial } from '../io/socks-dial.ts';
import type { Lookup } from '../lookup/lookup.ts';
import { walletStrings } from '../stack/connect.ts';
import { openSocks, type SocksChoice } from '../tor/open-socks.ts';
import { testNetworkSchema } from '../tor/test-network-file.ts';
import { readDeviceKey } from './device-key.ts';
import { dialledAddress, requireListenable } from './listen-option.ts';
import { type LogLevel, stderrLogger } from './logger.ts';
import { lockWay, type Way, type WayOptions, wayOf } from './lookup-way.ts';
import { note, print } from './output.ts';
import { knownPassphrase } from './passphrase.ts';
import { runStep } from './progress.ts';
import { serveUntilAborted } from './serve.ts';
import { walletSteps } from './wallet-steps.ts';

export interface BridgeOptions extends WayOptions {
  readonly listen: Address;
  readonly allowLan?: true;
  readonly socks: SocksChoice;
  readonly deviceKey?: string;
  readonly torTestNetwork?: string;
  readonly schedule?: ScheduleName;
  readonly windowMs: number;
  readonly passphraseFile?: string;
  readonly json?: true;
  readonly logLevel: LogLevel;
}

/** Wallets hang up on a chain that ends long ago: then it is fetched before they may come. */
const OLD_SECONDS = 24 * 3600;

/** `sotto bridge`: starts all that a bridge needs, says how to use it, and runs until interrupted. */
export async function serveWallets(options: BridgeOptions, signal: AbortSignal): Promise<void> {
  const way = await wayOf(options);
  await requireListenable(options.listen, options.allowLan ?? false);
  await using scope = new Scope();
  scope.use(await lockWay(way));
  let bridge: Bridge | undefined;
  const statusPath = statusSocketIn(way.state);
  const telling = await startStatusSocket({ path: statusPath, status: () => bridge?.status() });
  scope.use(telling);
  const key = await cacheKeyOf(way, options, signal);
  const starting: Starting = { way, options, log: stderrLogger(options.logLevel), scope, signal };

  const { dial, tor } = await reachServers(starting);
  const lookup = await openLookup(starting, dial);
  const schedule = chooseSchedule(lookup, options.schedule ?? 'steady');
  bridge = await runStep('Histories', async () => {
    const value = scope.use(
      await openBridge({
        listen: options.listen,
        network: way.network,
        lookup,
        directory: way.directory,
        key,
        schedule,
        windowMs: options.windowMs,
        clock: Date.now,
        log: starting.log,
        signal,
      }),
    );
    const { cached } = value.status().watching;
    return { value, outcome: `of ${cached} addresses, from before` };
  });
  if (!options.json) note(schedule.cost);
  tell(bridge, way, options);
  const parts: Running[] = [bridge, telling, ...(tor ? [tor] : [])];
  await serveUntilAborted({ failed: firstFailure(...parts) }, signal);
}

interface Starting {
  readonly way: Way;
  readonly options: BridgeOptions;
  readonly log: Logger;
  /** Gets whatever is started. */
  readonly scope: Scope;
  readonly signal: AbortSignal;
}

async function cacheKeyOf(
  { directory }: Way,
  { passphraseFile: file }: BridgeOptions,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (file === undefined) return await openCacheKey(directory);
  const passphrase = await knownPassphrase({ file, signal });
  return await unsealCacheKey(directory, { passphrase });
}

/** `tor`: a tor that is used. */
async function reachServers(starting: Starting): Promise<{ dial: Dial; tor?: Running }> {
  const { way, options, scope, signal } = starting;
  if (way.withoutTor) return { dial: way.withoutTor };
  const { deviceKey, torTestNetwork, server } = options;
  const access =
    deviceKey === undefined ? undefined : await readDeviceKey(deviceKey, server?.host ?? '');
  const authorities =
    torTestNetwork === undefined ? undefined : await loadJson(torTestNetwork, testNetworkSchema);
  const tor = await runStep('Tor', async (detail) => {
    const value = scope.use(
      await openSocks({
        choice: options.socks,
        directory: join(way.directory, 'tor'),
        access,
        authorities,
        signal,
        onProgress: ({ percent, summary }) => {
          detail(`${percent} %: ${summary}`);
        },
      }),
    );
    const where = formatAddress(value.address);
    return { value, outcome: value.isOwn ? `its own, at ${where}` : `the one at ${where}` };
  });
  return { dial: socksDial(tor.address), tor };
}

async function openLookup(starting: Starting, dial: Dial): Promise<Lookup> {
  const { way, log, scope, signal } = starting;
  let detail: (text: string) => void = () => undefined;
  let trouble: string | undefined;
  const lookup = await runStep(way.kind === 'direct' ? 'Server' : 'Network', async () => {
    const value = await way.open({
      dial,
      log,
      signal,
      onProgress: ({ height }) => {
        trouble = undefined;
        detail(`verified up to block ${height}`);
      },
      onTrouble: (error) => {
        const reason = messageOf(error);
        if (reason === trouble) return;
        trouble = reason;
        detail(`trying again: ${reason}`);
        log.warn('the block headers cannot be brought up to date', { reason });
      },
    });
    return { value: scope.use(value), outcome: way.network };
  });
  await runStep('Block headers', async (tell) => {
    detail = tell;
    if (isOld(lookup)) await lookup.headers.reached(signal);
    detail = () => undefined;
    return { value: undefined, outcome: `verified up to block ${lookup.headers.tip.height}` };
  });
  return lookup;
}

function isOld({ headers }: Lookup): boolean {
  const { time = 0 } = headers.headerAt(headers.tip.height) ?? {};
  return Date.now() / 1000 - time > OLD_SECONDS;
}

function tell({ address }: Bridge, { network }: Way, { json, state }: BridgeOptions): void {
  const dialled = dialledAddress(address);
  if (json) {
    print(JSON.stringify({ electrum: formatAddress(dialled), network }));
    return;
  }
  const strings = walletStrings({ address: dialled, network });
  print(`\nElectrum server  ${formatAddress(dialled)} (${network}, no TLS)\n`);
  for (const wallet of ['electrum', 'sparrow'] as const) {
    print(`${walletSteps(wallet, strings).join('\n')}\n`);
  }
  const place = state === undefined ? `--network ${network}` : `--state ${state}`;
  note(`Ctrl-C ends it. From another terminal: sotto bridge status ${place}`);
}
