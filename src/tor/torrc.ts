import { type PrivateNetworkMember, privateNetworkLines } from './private-network-torrc.ts';
import { renderTorrcLine, type TorrcLine } from './torrc-line.ts';

export interface OnionSettings {
  /** An absolute path: holds tor's key files, or will. */
  readonly directory: string;
  readonly ports: readonly OnionPort[];
  /** The target is sent a PROXY line with the circuit's id first. */
  readonly exportCircuitId?: boolean;
  /** Streams one client circuit may hold open; one more closes the circuit. */
  readonly maxStreams?: number;
  /** Asks clients for a proof of work while requests come faster than this many a second. */
  readonly powDefences?: { readonly queueRate: number; readonly queueBurst: number };
  /** Introduction points drop what comes faster than tor's own default rate. */
  readonly introDefence?: boolean;
}

interface OnionPort {
  readonly virtual: number;
  /** `127.0.0.1:port`, `[::1]:port` or `unix:/path`. No names: tor would resolve them at its start. */
  readonly target: string;
}

export interface TorSettings {
  /** An absolute path. */
  readonly dataDirectory: string;
  /** On 127.0.0.1, for onion addresses only. */
  readonly socksPort: number | 'auto';
  readonly onions: readonly OnionSettings[];
  /** tor ends when this process has ended. */
  readonly owningPid?: number;
  /** Absent: the public Tor network. */
  readonly privateNetwork?: PrivateNetworkMember;
}

const TARGET = /^((\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\]):\d{1,5}|unix:\/.*)$/;

/** Where a tor with these settings writes the port of its control listener, and its cookie. */
export function controlFilesOf(dataDirectory: string): { port: string; cookie: string } {
  return { port: `${dataDirectory}/control-port`, cookie: `${dataDirectory}/control-cookie` };
}

/**
 * The text of a torrc. It says nothing of addresses other than 127.0.0.1 but the targets' own.
 * @throws RangeError for a target that is not an address, or a path with control characters.
 */
export function renderTorrc(settings: TorSettings): string {
  const { dataDirectory, socksPort, owningPid, privateNetwork } = settings;
  const control = controlFilesOf(dataDirectory);
  const lines: TorrcLine[] = [
    ['DataDirectory', dataDirectory],
    ['AvoidDiskWrites', 1],
    ['Log', 'notice stdout'],
    ['SocksPort', `127.0.0.1:${socksPort} OnionTrafficOnly ExtendedErrors`],
    ['ControlPort', '127.0.0.1:auto'],
    ['ControlPortWriteToFile', control.port],
    ['CookieAuthentication', 1],
    ['CookieAuthFile', control.cookie],
  ];
  if (owningPid !== undefined) lines.push(['__OwningControllerProcess', owningPid]);
  lines.push(
    ...(privateNetwork ? privateNetworkLines(privateNetwork) : ([['ClientOnly', 1]] as const)),
  );
  lines.push(...settings.onions.flatMap(onionLines));
  return lines.map(renderTorrcLine).join('');
}

function onionLines(onion: OnionSettings): TorrcLine[] {
  const lines: TorrcLine[] = [['HiddenServiceDir', onion.directory]];
  for (const { virtual, target } of onion.ports) {
    if (!TARGET.test(target)) throw new RangeError(`"${target}" is not the address of a target`);
    lines.push(['HiddenServicePort', `${virtual} ${quotePath(target)}`]);
  }
  if (onion.exportCircuitId) lines.push(['HiddenServiceExportCircuitID', 'haproxy']);
  if (onion.maxStreams !== undefined) {
    lines.push(['HiddenServiceMaxStreams', onion.maxStreams]);
    lines.push(['HiddenServiceMaxStreamsCloseCircuit', 1]);
  }
  if (onion.powDefences) {
    lines.push(['HiddenServicePoWDefensesEnabled', 1]);
    lines.push(['HiddenServicePoWQueueRate', onion.powDefences.queueRate]);
    lines.push(['HiddenServicePoWQueueBurst', onion.powDefences.queueBurst]);
  }
  if (onion.introDefence) lines.push(['HiddenServiceEnableIntroDoSDefense', 1]);
  return lines;
}

/** A path with spaces is a C string of its own inside the option's value. */
function quotePath(target: string): string {
  const path = /^unix:(.*[^\w./-].*)$/.exec(target)?.[1];
  return path === undefined ? target : `unix:"${path.replace(/["\\]/g, '\\$&')}"`;
}
