import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Address } from './dial.ts';

export interface PortHolder {
  readonly pid: number;
  /** As the kernel shortens it, 15 characters at most. */
  readonly name: string;
}

const LISTENING = '0A';
const ANYWHERE = ['0'.repeat(8), '0'.repeat(32)];
/** Before an IPv4 address where IPv6 sockets are listed. */
const MAPPED = '0000000000000000FFFF0000';

/** Whether something listens at a TCP port of an IPv4 address of this machine, or of all of them. */
export async function isTaken(address: Address): Promise<boolean> {
  return (await inodesAt(address)).length > 0;
}

/** Which process listens there. Undefined when none does, or another user's, which we may not see. */
export async function findPortHolder(address: Address): Promise<PortHolder | undefined> {
  const sockets = new Set((await inodesAt(address)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  for (const pid of await processIds()) {
    if (await holdsOneOf(pid, sockets)) {
      const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => undefined);
      if (name !== undefined) return { pid, name: name.trim() };
    }
  }
  return undefined;
}

/** Of the sockets that listen (proc(5), /proc/net/tcp: addresses as little-endian numbers). */
async function inodesAt({ host, port }: Address): Promise<string[]> {
  const bytes = host.split('.').map(Number).reverse();
  const ip = bytes.map((byte) => hex(byte, 2)).join('');
  const wanted = [ip, `${MAPPED}${ip}`, ...ANYWHERE].map((each) => `${each}:${hex(port, 4)}`);
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  return tables
    .join('\n')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTENING && wanted.includes(local ?? ''))
    .map((fields) => fields[9] ?? '');
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}

async function processIds(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function holdsOneOf(pid: number, sockets: ReadonlySet<string>): Promise<boolean> {
  // It may end meanwhile, and belong to others.
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
    if (sockets.has(target)) return true;
  }
  return false;
}
