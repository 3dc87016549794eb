import { BlockList, isIPv4 } from 'node:net';

const PRIVATE = new BlockList();
// Loopback (RFC 1122), then the networks that no router of the internet carries (RFC 1918).
PRIVATE.addSubnet('127.0.0.0', 8);
PRIVATE.addSubnet('10.0.0.0', 8);
PRIVATE.addSubnet('172.16.0.0', 12);
PRIVATE.addSubnet('192.168.0.0', 16);

/** Whether a host is a numeric IPv4 address of this machine or a private network. Never a name. */
export function isPrivateAddress(host: string): boolean {
  return isIPv4(host) && PRIVATE.check(host);
}
