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

/** One place where programs ask tor for connections. */
export interface SocksSettings {
  /** `ip:port`, `127.0.0.1:auto` for a free port, or `unix:/path` in a directory of tor's user alone. */
  readonly at: string;
  /** `onions`: onion addresses and nothing else; `clearnet`: names and addresses through exits, no onions. */
  readonly reaches: 'onions' | 'clearnet';
}

/** A control socket that tor's user alone can open, and the file of the cookie it asks for. */
export interface ControlFiles {
  /** Absolute; its directory has mode 0700. */
  readonly socket: string;
  readonly cookie: string;
}

export interface TorSettings {
  /** An absolute path. */
  readonly dataDirectory: string;
  readonly socks: readonly SocksSettings[];
  /** Absent: a free port of 127.0.0.1, told in the files of `controlFilesOf`. */
  readonly control?: ControlFiles;
  /** Absolute: holds this tor's keys to the private onions of others, `NAME.auth_private`. */
  readonly clientKeys?: string;
  readonly onions: readonly OnionSettings[];
  /** tor ends when this process has ended. */
  readonly owningPid?: number;
  /** Absent: the public Tor network. */
  readonly privateNetwork?: PrivateNetworkMember;
}

const TARGET = /^((\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\]):\d{1,5}|unix:\/.*)$/;
const SOCKS = /^((\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\]):(\d{1,5}|auto)|unix:\/.*)$/;
const SOCKS_FLAGS = {
  onions: 'OnionTrafficOnly ExtendedErrors',
  clearnet: 'NoOnionTraffic ExtendedErrors',
} as const;

/** Where a tor without a control socket writes the port of its control listener, and its cookie. */
export function controlFilesOf(dataDirectory: string): { port: string; cookie: string } {
  return { port: `${dataDirectory}/control-port`, cookie: `${dataDirectory}/control-cookie` };
}

/**
 * The text of a torrc. The onions come last, so that `withoutOnion` can take one out.
 * @throws RangeError for an address that tor would have to resolve or could take for two options,
 *   and for a path with control characters.
 */
export function renderTorrc(settings: TorSettings): string {
  const { dataDirectory, clientKeys, owningPid, privateNetwork } = settings;
  const lines: TorrcLine[] = [
    ['DataDirectory', dataDirectory],
    ['AvoidDiskWrites', 1],
    ['Log', 'notice stdout'],
    ['SafeLogging', 1],
    ...socksLines(settings),
    ...controlLines(settings),
  ];
  if (clientKeys !== undefined) lines.push(['ClientOnionAuthDir', clientKeys]);
  if (owningPid !== undefined) lines.push(['__OwningControllerProcess', owningPid]);
  lines.push(
    ...(privateNetwork ? privateNetworkLines(privateNetwork) : ([['ClientOnly', 1]] as const)),
  );
  lines.push(...settings.onions.flatMap(onionLines));
  return lines.map(renderTorrcLine).join('');
}

/**
 * A rendered torrc without one of its onions, which tor then takes down when it reads it again.
 * @throws RangeError when the torrc has no onion in that directory.
 */
export function withoutOnion(torrc: string, directory: string): string {
  const start = torrc.indexOf(renderTorrcLine(['HiddenServiceDir', directory]));
  if (start === -1) throw new RangeError(`the torrc has no onion in ${directory}`);
  const end = torrc.indexOf('\nHiddenServiceDir ', start) + 1;
  return torrc.slice(0, start) + (end === 0 ? '' : torrc.slice(end));
}

function socksLines({ socks }: TorSettings): TorrcLine[] {
  // tor opens port 9050 where no line says otherwise.
  if (socks.length === 0) return [['SocksPort', 0]];
  return socks.map(({ at, reaches }): TorrcLine => {
    if (!SOCKS.test(at)) throw new RangeError(`"${at}" is not an address to listen at`);
    return ['SocksPort', `${quotePath(at)} ${SOCKS_FLAGS[reaches]}`];
  });
}

function controlLines({ control, dataDirectory }: TorSettings): TorrcLine[] {
  const files = controlFilesOf(dataDirectory);
  const listener: TorrcLine[] = control
    ? // `ControlSocket` takes no path with spaces.
      [['ControlPort', quotePath(`unix:${control.socket}`)]]
    : [
        ['ControlPort', '127.0.0.1:auto'],
        ['ControlPortWriteToFile', files.port],
      ];
  return [
    ...listener,
    ['CookieAuthentication', 1],
    ['CookieAuthFile', control?.cookie ?? files.cookie],
  ];
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
