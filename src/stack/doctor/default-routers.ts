const RTF_REJECT = 0x0200;
const LOOPBACK = 'lo';

/**
 * The routers that packets to anywhere are given to, from Linux's tables `/proc/net/route` and
 * `/proc/net/ipv6_route`: numeric addresses, IPv6 as 32 hexadecimal digits.
 */
export function defaultRouters({ four, six }: { four: string; six: string }): string[] {
  return [
    // Iface Destination Gateway Flags RefCnt Use Metric Mask ...
    ...rowsOf(four)
      .filter(([, destination, , , , , , mask]) => isZero(destination) && isZero(mask))
      .map(([, , gateway]) => dotted(gateway ?? '')),
    // Destination prefix-length Source prefix-length Next-hop Metric RefCnt Use Flags Iface
    ...rowsOf(six)
      .filter(([destination, length]) => isZero(destination) && isZero(length))
      .filter(([, , , , , , , , flags]) => (parseInt(flags ?? '', 16) & RTF_REJECT) === 0)
      .filter((row) => row[9] !== LOOPBACK)
      .map(([, , , , nextHop]) => nextHop ?? ''),
  ];
}

function rowsOf(table: string): string[][] {
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length > 7 && fields[0] !== 'Iface');
}

function isZero(field: string | undefined): boolean {
  return field !== undefined && /^0+$/.test(field);
}

/** The kernel prints the number as the machine has it in memory, and ours are little-endian. */
function dotted(hex: string): string {
  return [6, 4, 2, 0].map((at) => parseInt(hex.slice(at, at + 2), 16)).join('.');
}
