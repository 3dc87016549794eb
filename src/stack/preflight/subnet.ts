/** A range of IPv4 addresses. */
export interface Subnet {
  readonly first: number;
  readonly last: number;
}

/** @param text `10.213.50.0/25`. Undefined when it is no IPv4 subnet. */
export function parseSubnet(text: string): Subnet | undefined {
  const [, address = '', bits = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  const numbers = address.split('.').map(Number);
  if (numbers.length !== 4 || Number(bits) > 32) return undefined;
  const value = numbers.reduce((sum, number) => sum * 256 + number, 0);
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(value / size) * size;
  return { first, last: first + size - 1 };
}

export function overlap(a: Subnet, b: Subnet): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** Where this machine sends packets, from Linux's `/proc/net/route`; the default route is left out. */
export function parseRoutes(table: string): readonly Subnet[] {
  return table.split('\n').flatMap((line) => {
    // Iface Destination Gateway Flags RefCnt Use Metric Mask ...
    const [, destination = '', , , , , , mask = ''] = line.trim().split(/\s+/);
    if (!/^[0-9A-F]{8}$/.test(destination) || !/^[0-9A-F]{8}$/.test(mask)) return [];
    const size = 2 ** 32 - littleEndian(mask);
    const first = littleEndian(destination);
    return size === 2 ** 32 ? [] : [{ first, last: first + size - 1 }];
  });
}

function littleEndian(hex: string): number {
  return Buffer.from(hex, 'hex').readUInt32LE();
}
