import type { TorrcLine } from './torrc-line.ts';

/** A directory authority of a private Tor network, as every member of the network knows it. */
export interface PrivateAuthority {
  readonly nickname: string;
  /** An IPv4 address of its machine. */
  readonly host: string;
  readonly orPort: number;
  readonly dirPort: number;
  /** 40 hexadecimal digits: SHA-1 of the long-term key that its key certificate tells. */
  readonly v3Ident: string;
  /** 40 hexadecimal digits: SHA-1 of its relay identity key. */
  readonly fingerprint: string;
}

/** How one tor takes part in a private network. */
export interface PrivateNetworkMember {
  readonly authorities: readonly PrivateAuthority[];
  readonly role: 'client' | PrivateRelay | PrivateAuthority;
}

export interface PrivateRelay {
  /** An IPv4 address of its machine. */
  readonly host: string;
}

/** Options that tor takes in a testing network only; the intervals are the shortest it allows. */
export function privateNetworkLines(member: PrivateNetworkMember): TorrcLine[] {
  const { authorities, role } = member;
  const lines: TorrcLine[] = [
    ['TestingTorNetwork', 1],
    ...authorities.map(authorityLine),
    ['PathsNeededToBuildCircuits', '0.67'],
    // In minutes few relays are voted stable, and tor would wait for second guards it cannot choose.
    ['VanguardsLiteEnabled', 0],
    ['TestingDirAuthVoteExit', '*'],
    ['TestingDirAuthVoteHSDir', '*'],
    ['TestingDirAuthVoteGuard', '*'],
    ['V3AuthNIntervalsValid', 2],
  ];
  if (role === 'client') return [...lines, ['ClientOnly', 1]];
  lines.push(['AssumeReachable', 1], ['ExitPolicy', 'reject *:*'], ['Address', role.host]);
  if ('nickname' in role) return [...lines, ...votingLines(role)];
  return [...lines, ['ORPort', `${role.host}:auto`]];
}

function votingLines(authority: PrivateAuthority): TorrcLine[] {
  return [
    ['Nickname', authority.nickname],
    ['ContactInfo', authority.nickname],
    ['ORPort', `${authority.host}:${authority.orPort}`],
    ['DirPort', `${authority.host}:${authority.dirPort}`],
    ['AuthoritativeDirectory', 1],
    ['V3AuthoritativeDirectory', 1],
    ['TestingV3AuthInitialVotingInterval', 5],
    ['TestingV3AuthInitialVoteDelay', 2],
    ['TestingV3AuthInitialDistDelay', 2],
    ['V3AuthVotingInterval', 10],
    ['V3AuthVoteDelay', 2],
    ['V3AuthDistDelay', 2],
    ['TestingMinFastFlagThreshold', 0],
    ['TestingMinExitFlagThreshold', 0],
    ['TestingAuthKeySlop', 0],
  ];
}

function authorityLine(authority: PrivateAuthority): TorrcLine {
  const { nickname, host, orPort, dirPort, v3Ident, fingerprint } = authority;
  return [
    'DirAuthority',
    `${nickname} orport=${orPort} no-v2 v3ident=${v3Ident} ${host}:${dirPort} ${fingerprint}`,
  ];
}
