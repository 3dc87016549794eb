import type { FoundCommand } from './find-programs.ts';

export interface SystemdUnitSettings {
  /** Runs the supervisor in the foreground. */
  readonly command: FoundCommand;
  readonly user: string;
  /** Where the programs are. */
  readonly path: string;
  /** The directories the services write to; all others are read-only. */
  readonly writable: readonly string[];
  /** How long all services may take to end. */
  readonly stopSeconds: number;
}

/**
 * A systemd unit (systemd.service(5), systemd.exec(5)) that runs a personal server from boot on.
 * @throws RangeError for a path of more than one line.
 */
export function renderSystemdUnit(settings: SystemdUnitSettings): string {
  const { command, user, path, writable, stopSeconds } = settings;
  const directories = writable.map(quote).join(' ');
  // In an argument, and only there, a dollar would be a variable.
  const args = command.args.map((word) => quote(word).replaceAll('$', '$$$$'));
  return `# Save it as /etc/systemd/system/sotto.service, then: sudo systemctl enable --now sotto
[Unit]
Description=Sotto, a personal Bitcoin server behind Tor
Wants=network-online.target
After=network-online.target
RequiresMountsFor=${directories}

[Service]
Type=exec
User=${user}
Environment=${quote(`PATH=${path}`)}
ExecStart=${[quote(command.command), ...args].join(' ')}
Restart=on-failure
RestartSec=10
# The supervisor ends the services in their order; what is left then is killed.
KillMode=mixed
TimeoutStopSec=${stopSeconds}
UMask=0077
LimitNOFILE=65536

# What the services write to, and nothing else.
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths=${directories}
PrivateTmp=yes
PrivateDevices=yes

# No way to become more than this user.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

# The kernel and the machine stay as they are.
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RemoveIPC=yes

# No IPAddressDeny: it would hold for every process of the unit, and tor, one of them, needs the
# world. That the others reach nothing but 127.0.0.1 follows from their settings, and from them
# alone; the docker backend enforces it.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=multi-user.target
`;
}

function quote(text: string): string {
  // eslint-disable-next-line no-control-regex -- these cannot be written in a unit
  if (/[\0-\x1f]/.test(text)) throw new RangeError('a path with control characters');
  return `"${text.replace(/["\\]/g, '\\$&').replaceAll('%', '%%')}"`;
}
