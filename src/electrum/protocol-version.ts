import * as z from 'zod';

/** The versions of the Electrum protocol spoken here, oldest first. There is no 1.5. */
const PROTOCOL_VERSIONS = ['1.4', '1.4.1', '1.4.2', '1.4.3', '1.6'] as const;

export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number];

export interface ProtocolRange {
  readonly min: ProtocolVersion;
  readonly max: ProtocolVersion;
}

export const ALL_PROTOCOLS: ProtocolRange = { min: '1.4', max: '1.6' };

const version = z.string().regex(/^\d{1,3}(\.\d{1,3}){0,3}$/);

/** The second parameter of server.version: one version, or the oldest and the newest. */
export const VERSION_ARGUMENT = z.union([version, z.tuple([version, version])]);

/** Negative when `a` is older than `b`. Missing parts count as zero: 1.4 is 1.4.0. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let part = 0; part < Math.max(left.length, right.length); part += 1) {
    const difference = (left[part] ?? 0) - (right[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The newest version that both sides speak, or undefined when there is none. */
export function negotiateVersion(
  asked: z.output<typeof VERSION_ARGUMENT>,
  offered: ProtocolRange,
): ProtocolVersion | undefined {
  const [oldest, newest] = typeof asked === 'string' ? [asked, asked] : asked;
  return PROTOCOL_VERSIONS.findLast(
    (known) =>
      compareVersions(known, oldest) >= 0 &&
      compareVersions(known, newest) <= 0 &&
      compareVersions(known, offered.min) >= 0 &&
      compareVersions(known, offered.max) <= 0,
  );
}
